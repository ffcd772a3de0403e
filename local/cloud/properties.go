package cloud

import "maps"

// Unknown stands for an input that a preview does not know yet. It equals nothing
// that a program can say.
const Unknown = "\x00unknown"

// Properties are a resource's inputs or outputs as plain values: string,
// float64, bool, nil, []any and map[string]any, named as Pulumi names them.
type Properties map[string]any

func (p Properties) text(name string) string {
	s, _ := p[name].(string)
	return s
}

func (p Properties) flag(name string) bool {
	b, _ := p[name].(bool)
	return b
}

// number returns a number, or otherwise where there is none.
func (p Properties) number(name string, otherwise int) int {
	if n, ok := p[name].(float64); ok {
		return int(n)
	}
	return otherwise
}

// sub returns a nested object, empty where there is none.
func (p Properties) sub(name string) Properties {
	switch value := p[name].(type) {
	case map[string]any:
		return value
	case Properties:
		return value
	}
	return Properties{}
}

// subs returns a list of nested objects.
func (p Properties) subs(name string) []Properties {
	var list []Properties
	values, _ := p[name].([]any)
	for _, value := range values {
		if object, ok := value.(map[string]any); ok {
			list = append(list, object)
		}
	}
	return list
}

func (p Properties) texts(name string) []string {
	var list []string
	values, _ := p[name].([]any)
	for _, value := range values {
		if s, ok := value.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

// textMap returns the texts of an object by their names.
func (p Properties) textMap() map[string]string {
	texts := map[string]string{}
	for name := range p {
		texts[name] = p.text(name)
	}
	return texts
}

// with returns p with more on top.
func (p Properties) with(more Properties) Properties {
	all := Properties{}
	maps.Copy(all, p)
	maps.Copy(all, more)
	return all
}
