// Command program is a Pulumi program as far as its language host can see: it
// prints how it was started, and ends as it is told.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	fmt.Println("in", dir)
	environment := os.Environ()
	slices.Sort(environment)
	for _, variable := range environment {
		if strings.HasPrefix(variable, "PULUMI_") {
			fmt.Println(variable)
		}
	}
	if os.Getenv("PULUMI_STACK") == "hang" {
		fmt.Fprintln(os.Stderr, "hanging")
		select {}
	}
	if code, err := strconv.Atoi(os.Getenv("PULUMI_STACK")); err == nil {
		os.Exit(code)
	}
}
