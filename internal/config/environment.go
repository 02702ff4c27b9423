package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// environment is the kong resolver for PARLEY_… variables.
type environment struct {
	values map[string]string // those that are set and not empty
	used   map[string]bool   // flags that took their value from here
}

const prefix = "PARLEY_"

// onlyTyped is the tag of flags that have no variable.
const onlyTyped = "typed"

// variable gives the variable of a flag.
func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func readEnvironment(environ []string) *environment {
	env := &environment{values: map[string]string{}, used: map[string]bool{}}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, prefix) && value != "" {
			env.values[name] = value
		}
	}
	return env
}

// Validate implements kong.Resolver.
func (*environment) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver; it is asked for flags that are not on the command line.
// It tries the value first, since kong's own error would name the flag only.
func (env *environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := env.values[variable(flag.Name)]
	if !ok || flag.Name == "help" || flag.Tag.Has(onlyTyped) {
		return nil, nil //nolint:nilnil // kong's way to say: not set here
	}
	scratch := reflect.New(flag.Target.Type()).Elem()
	token := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value})
	if err := flag.Parse(token, scratch); err != nil {
		reason := reword(strings.TrimPrefix(err.Error(), flag.ShortSummary()+": "))
		return nil, &UsageError{Flag: flag.Name, Variable: variable(flag.Name), Reason: reason}
	}
	env.used[flag.Name] = true
	return value, nil
}

// blame adds the variable to an error about a flag that had its value from here.
func (env *environment) blame(err error) error {
	e, ok := errors.AsType[*UsageError](err)
	if ok && env.used[e.Flag] {
		e.Variable = variable(e.Flag)
	}
	return err
}

// unknown gives the variables that no flag has, sorted.
func (env *environment) unknown(model *kong.Application) []string {
	known := map[string]bool{passwordVariable: true}
	for _, node := range model.Children {
		for _, flag := range node.Flags {
			known[variable(flag.Name)] = known[variable(flag.Name)] || !flag.Tag.Has(onlyTyped)
		}
	}
	var names []string
	for name := range env.values {
		if !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// password is the one that no flag has.
func (env *environment) password() Secret { return Secret(env.values[passwordVariable]) }
