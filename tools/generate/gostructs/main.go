// gostructs writes down what upstream's own structs of an API group look like, those without versions that some
// refusals print: the fields in order under their Go names, their types, and the JSON name that each has in v1. It
// parses the sources and runs nothing of them; only the structs that can be reached from those that are printed count.
//
//	go run . MODULE_CACHE RELEASE STAGING_VERSION > go-structs.json
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// The groups, each with the structs that are printed.
var printed = map[string][]string{
	"core": {
		"PodSpec", "EphemeralContainer", "PersistentVolumeSource", "PersistentVolumeClaimSpec", "PersistentVolumeClaim",
		"VolumeNodeAffinity", "PodTemplateSpec", "ObjectReference", "EventSource",
	},
	"apps":         {"DaemonSetUpdateStrategy", "DeploymentStrategy", "StatefulSetUpdateStrategy"},
	"batch":        {"PodFailurePolicy", "SuccessPolicy"},
	"certificates": {"CertificateSigningRequestCondition"},
	"resource":     {"AllocationResult", "ResourceClaimSpec", "ResourceClaimTemplateSpec"},
	"storage":      {"VolumeAttachmentSpec"},
}

const (
	internal = "k8s.io/kubernetes/pkg/apis/"
	meta     = "k8s.io/apimachinery/pkg/apis/meta/v1"
	quantity = "k8s.io/apimachinery/pkg/api/resource.Quantity"
	numOrStr = "k8s.io/apimachinery/pkg/util/intstr.IntOrString"
	raw      = "k8s.io/apimachinery/pkg/runtime.RawExtension"
)

// Types of other packages with a name of their own here; UIDs are texts.
var known = map[string]string{
	quantity:                            "quantity",
	numOrStr:                            "intOrString",
	raw:                                 "any",
	meta + ".Time":                      "time",
	"k8s.io/apimachinery/pkg/types.UID": "string",
	meta + ".LabelSelector":             "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
	meta + ".ObjectMeta":                "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
}

// group is what the Go files of one package declare.
type group struct {
	name    string
	types   map[string]ast.Expr
	imports map[string]string
	// versioned is the same group's v1, whose tags have the JSON names.
	versioned map[string]ast.Expr
}

type writer struct {
	groups map[string]*group
	rows   map[string][]string
	todo   []string
}

func main() {
	if len(os.Args) != 4 {
		fail(fmt.Errorf("usage: gostructs MODULE_CACHE RELEASE STAGING_VERSION"))
	}
	cache := filepath.Join(os.Args[1], "k8s.io")
	w := &writer{groups: map[string]*group{}, rows: map[string][]string{}}
	for name, roots := range printed {
		own, imports := parse(filepath.Join(cache, "kubernetes@"+os.Args[2], "pkg/apis", name))
		versioned, _ := parse(filepath.Join(cache, "api@"+os.Args[3], name, "v1"))
		w.groups[name] = &group{name: name, types: own, imports: imports, versioned: versioned}
		for _, root := range roots {
			w.todo = append(w.todo, name+"."+root)
		}
	}
	for len(w.todo) > 0 {
		next := w.todo[0]
		w.todo = w.todo[1:]
		if _, done := w.rows[next]; done {
			continue
		}
		pkg, name, _ := strings.Cut(next, ".")
		g := w.groups[pkg]
		w.rows[next] = w.fields(g, name, jsonNames(g, name))
	}
	w.write()
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gostructs:", err)
		os.Exit(1)
	}
}

// parse reads the types that a package's files declare, and what the files import.
func parse(dir string) (map[string]ast.Expr, map[string]string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	fail(err)
	types, imports := map[string]ast.Expr{}, map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(filepath.Base(name), "generated") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		fail(err)
		for _, spec := range file.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			as := filepath.Base(target)
			if spec.Name != nil {
				as = spec.Name.Name
			}
			imports[as] = target
		}
		for _, decl := range file.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				if spec, ok := spec.(*ast.TypeSpec); ok {
					types[spec.Name.Name] = spec.Type
				}
			}
		}
	}
	if len(types) == 0 {
		fail(fmt.Errorf("%s declares no types", dir))
	}
	return types, imports
}

// jsonNames gives the JSON names of a struct of v1 by the names of its Go fields, those of embedded structs too.
func jsonNames(g *group, name string) map[string]string {
	names := map[string]string{}
	expr, ok := g.versioned[name].(*ast.StructType)
	if !ok {
		return names
	}
	for _, field := range expr.Fields.List {
		tag := ""
		if field.Tag != nil {
			text, _ := strconv.Unquote(field.Tag.Value)
			tag, _, _ = strings.Cut(reflect.StructTag(text).Get("json"), ",")
		}
		if len(field.Names) > 0 {
			names[field.Names[0].Name] = tag
			continue
		}
		switch embedded := field.Type.(type) {
		case *ast.Ident:
			for key, value := range jsonNames(g, embedded.Name) {
				names[key] = value
			}
		case *ast.SelectorExpr:
			names[embedded.Sel.Name] = tag
		}
	}
	return names
}

// fields writes a struct's fields as "Name type" or "Name=jsonName type"; without a Name, the type's own fields stand
// in this struct's place, as they do for embedded structs.
func (w *writer) fields(g *group, name string, names map[string]string) []string {
	expr, ok := g.types[name].(*ast.StructType)
	if !ok {
		fail(fmt.Errorf("%s.%s is no struct", g.name, name))
	}
	rows := []string{}
	for _, field := range expr.Fields.List {
		if len(field.Names) == 0 {
			rows = append(rows, w.embedded(g, field.Type, names)...)
			continue
		}
		for _, ident := range field.Names {
			rows = append(rows, row(ident.Name, names[ident.Name], w.typeText(g, field.Type)))
		}
	}
	return rows
}

func (w *writer) embedded(g *group, expr ast.Expr, names map[string]string) []string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return w.fields(g, expr.Name, names)
	case *ast.SelectorExpr:
		// What tells kinds apart is empty in these structs.
		if expr.Sel.Name == "TypeMeta" {
			return nil
		}
		return []string{row("", names[expr.Sel.Name], w.typeText(g, expr))}
	}
	fail(fmt.Errorf("%s embeds %T", g.name, expr))
	return nil
}

// row leaves out a JSON name that is the Go name with a small first letter.
func row(name, jsonName, typeText string) string {
	if jsonName == "" || jsonName == strings.ToLower(name[:min(1, len(name))])+name[min(1, len(name)):] {
		return name + " " + typeText
	}
	return name + "=" + jsonName + " " + typeText
}

// typeText writes a type down to what JSON makes of it: names of other types are followed until they are none.
func (w *writer) typeText(g *group, expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return "*" + w.typeText(g, expr.X)
	case *ast.ArrayType:
		if ident, ok := expr.Elt.(*ast.Ident); ok && ident.Name == "byte" {
			return "bytes"
		}
		return "[]" + w.typeText(g, expr.Elt)
	case *ast.MapType:
		return "map " + w.typeText(g, expr.Value)
	case *ast.SelectorExpr:
		from := g.imports[expr.X.(*ast.Ident).Name]
		if other, ok := w.groups[strings.TrimPrefix(from, internal)]; ok {
			return w.typeText(other, expr.Sel)
		}
		full := from + "." + expr.Sel.Name
		if text, ok := known[full]; ok {
			return text
		}
		fail(fmt.Errorf("%s: what JSON makes of %s is not known", g.name, full))
	case *ast.Ident:
		target, ok := g.types[expr.Name]
		if !ok {
			return expr.Name
		}
		if _, ok := target.(*ast.StructType); !ok {
			return w.typeText(g, target)
		}
		w.todo = append(w.todo, g.name+"."+expr.Name)
		return g.name + "." + expr.Name
	}
	fail(fmt.Errorf("%s: no type is written as %T", g.name, expr))
	return ""
}

// write prints one struct a line, in the order of the names, so that a new release is a readable diff.
func (w *writer) write() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	names := []string{}
	for name := range w.rows {
		names = append(names, name)
	}
	sort.Strings(names)
	out.WriteString("{\n")
	for i, name := range names {
		line, err := json.Marshal(w.rows[name])
		fail(err)
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(out, "%q:%s%s\n", name, line, comma)
	}
	out.WriteString("}\n")
}
