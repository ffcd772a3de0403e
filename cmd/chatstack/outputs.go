package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
)

// outputsCommand shows the stack's outputs.
type outputsCommand struct {
	JSON bool `help:"As a JSON object, for programs."`
}

func (c *outputsCommand) Run(ctx context.Context, p *project) error {
	engine, err := p.openEngine(ctx, nil)
	if err != nil {
		return err
	}
	defer engine.close()
	outputs, err := engine.outputs(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(os.Stdout, outputs)
	}
	return printOutputs(os.Stdout, outputs)
}

// writeJSON writes what programs read.
func writeJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
