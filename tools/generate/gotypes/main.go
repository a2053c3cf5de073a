// gotypes writes down what the published OpenAPI documents leave out of the API's Go types: the order of
// the fields, pointers, omitempty and omitzero, inlining, protobuf numbers and names, and the comment markers
// of types that no OpenAPI document has. It parses the sources and runs nothing of them.
//
//	go run . MODULE_CACHE STAGING_VERSION > go-types.json
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Type is one named type: a struct (Fields) or another name for something (Alias).
type Type struct {
	Alias   string   `json:"alias,omitempty"`
	Enum    []string `json:"enum,omitempty"`
	Markers []string `json:"markers,omitempty"`
	Fields  []Field  `json:"fields,omitempty"`
}

// Field is one field of a struct; Flags are omitempty, omitzero and inline.
type Field struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Flags   []string `json:"flags,omitempty"`
	Proto   string   `json:"proto,omitempty"`
	Patch   []string `json:"patch,omitempty"`
	Markers []string `json:"markers,omitempty"`
}

// Package is one API package: its API group, where it has one, and its types.
type Package struct {
	Group *string
	Types map[string]*Type
	// Constants by name, for enums that are written in terms of other constants.
	Constants map[string]constant
}

// A constant is a literal, or the name of another constant.
type constant struct {
	Type    string
	Literal string
	Other   string
}

// The comment markers that say something about the shape of the data.
var shapeMarkers = []string{"optional", "required", "nullable", "listType", "listMapKey", "mapType", "structType", "default"}

// The packages of API machinery that API types are made of.
var machinery = []string{
	"pkg/api/resource", "pkg/apis/meta/v1", "pkg/apis/meta/v1beta1", "pkg/runtime", "pkg/types", "pkg/util/intstr", "pkg/version",
}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: gotypes MODULE_CACHE STAGING_VERSION"))
	}
	root := func(module string) string {
		return filepath.Join(os.Args[1], "k8s.io", module+"@"+os.Args[2])
	}
	packages := map[string]*Package{}
	groups, err := filepath.Glob(filepath.Join(root("api"), "*", "v*", "types.go"))
	fail(err)
	for _, file := range groups {
		group := filepath.Base(filepath.Dir(filepath.Dir(file)))
		version := filepath.Base(filepath.Dir(file))
		load(packages, filepath.Dir(file), path.Join("k8s.io/api", group, version))
	}
	for _, name := range machinery {
		load(packages, filepath.Join(root("apimachinery"), name), path.Join("k8s.io/apimachinery", name))
	}
	for module, name := range map[string]string{
		"apiextensions-apiserver": "pkg/apis/apiextensions/v1",
		"kube-aggregator":         "pkg/apis/apiregistration/v1",
	} {
		load(packages, filepath.Join(root(module), name), path.Join("k8s.io", module, name))
	}
	for _, pkg := range packages {
		readEnums(packages, pkg)
	}
	write(packages)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotypes:", err)
		os.Exit(1)
	}
}

// definition turns an import path into the prefix of OpenAPI definition names.
func definition(importPath string) string {
	host, rest, _ := strings.Cut(importPath, "/")
	parts := strings.Split(host, ".")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, ".") + "." + strings.ReplaceAll(rest, "/", ".")
}

func load(packages map[string]*Package, dir, importPath string) {
	entries, err := os.ReadDir(dir)
	fail(err)
	self := definition(importPath)
	pkg := &Package{Types: map[string]*Type{}, Constants: map[string]constant{}}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "generated") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ParseComments)
		fail(err)
		if group, ok := groupName(file); ok {
			pkg.Group = &group
		}
		readFile(pkg, self, file)
	}
	packages[self] = pkg
}

// readEnums gives types that are marked as enums their values.
func readEnums(packages map[string]*Package, pkg *Package) {
	for _, one := range pkg.Constants {
		t := pkg.Types[one.Type]
		if t == nil || !has(t.Markers, "enum") {
			continue
		}
		if from, name := path.Split(one.Other); name != "" {
			one = packages[strings.TrimSuffix(from, "/")].Constants[name]
		}
		t.Enum = append(t.Enum, one.Literal)
	}
	for _, t := range pkg.Types {
		sort.Strings(t.Enum)
		t.Markers = without(t.Markers, "enum")
	}
}

// groupName finds the constant GroupName that every API package declares.
func groupName(file *ast.File) (string, bool) {
	object := file.Scope.Lookup("GroupName")
	if object == nil {
		return "", false
	}
	spec, ok := object.Decl.(*ast.ValueSpec)
	if !ok || len(spec.Values) != 1 {
		return "", false
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	name, err := strconv.Unquote(literal.Value)
	return name, err == nil
}

func readFile(pkg *Package, self string, file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = target
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok == token.VAR {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				readType(pkg, imports, general, spec)
			case *ast.ValueSpec:
				readConstant(pkg, imports, self, spec)
			}
		}
	}
}

func readType(pkg *Package, imports map[string]string, general *ast.GenDecl, spec *ast.TypeSpec) {
	if !spec.Name.IsExported() || spec.TypeParams != nil {
		return
	}
	doc := spec.Doc
	if doc == nil {
		doc = general.Doc
	}
	t := &Type{Markers: markers(append([]string{"enum"}, shapeMarkers...), doc)}
	switch expr := spec.Type.(type) {
	case *ast.StructType:
		t.Fields = readFields(imports, expr)
	case *ast.InterfaceType, *ast.FuncType:
		return
	default:
		t.Alias = typeName(imports, expr)
	}
	pkg.Types[spec.Name.Name] = t
}

func readFields(imports map[string]string, expr *ast.StructType) []Field {
	fields := []Field{}
	for _, field := range expr.Fields.List {
		tag := reflect.StructTag("")
		if field.Tag != nil {
			text, _ := strconv.Unquote(field.Tag.Value)
			tag = reflect.StructTag(text)
		}
		jsonTag := tag.Get("json")
		if jsonTag == "-" || (len(field.Names) > 0 && !field.Names[0].IsExported()) {
			continue
		}
		name, options, _ := strings.Cut(jsonTag, ",")
		out := Field{Name: name, Type: typeName(imports, field.Type), Markers: markers(shapeMarkers, field.Doc)}
		if options != "" {
			out.Flags = strings.Split(options, ",")
		}
		if name == "" && len(field.Names) == 0 && !has(out.Flags, "inline") {
			out.Flags = append(out.Flags, "inline")
		}
		if name == "" && !has(out.Flags, "inline") {
			out.Name = field.Names[0].Name
		}
		out.Proto = protoOf(tag.Get("protobuf"), out.Name)
		if strategy, ok := tag.Lookup("patchStrategy"); ok {
			out.Patch = []string{strategy, tag.Get("patchMergeKey")}
		}
		fields = append(fields, out)
	}
	return fields
}

// protoOf makes "1 name" of "bytes,1,opt,name=name"; the label may be missing, and so may the name.
func protoOf(tag, name string) string {
	parts := strings.Split(tag, ",")
	if len(parts) < 2 {
		return ""
	}
	for _, part := range parts[2:] {
		if stated, ok := strings.CutPrefix(part, "name="); ok {
			name = stated
		}
	}
	return strings.TrimSpace(parts[1] + " " + name)
}

// readConstant keeps `A T = "text"`, `A = T("text")` and `A = T(other.B)`.
func readConstant(pkg *Package, imports map[string]string, self string, spec *ast.ValueSpec) {
	for i, value := range spec.Values {
		one := constant{}
		if ident, ok := spec.Type.(*ast.Ident); ok {
			one.Type = ident.Name
		}
		if call, ok := value.(*ast.CallExpr); ok && len(call.Args) == 1 {
			if ident, ok := call.Fun.(*ast.Ident); ok {
				one.Type = ident.Name
			}
			value = call.Args[0]
		}
		switch value := value.(type) {
		case *ast.BasicLit:
			if value.Kind != token.STRING {
				continue
			}
			one.Literal, _ = strconv.Unquote(value.Value)
		case *ast.Ident:
			one.Other = self + "/" + value.Name
		case *ast.SelectorExpr:
			one.Other = definition(imports[value.X.(*ast.Ident).Name]) + "/" + value.Sel.Name
		default:
			continue
		}
		pkg.Constants[spec.Names[i].Name] = one
	}
}

// typeName writes a type with ".Name" for names of the same package and definitions for those of others.
func typeName(imports map[string]string, expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		if expr.IsExported() {
			return "." + expr.Name
		}
		return expr.Name
	case *ast.SelectorExpr:
		from := imports[expr.X.(*ast.Ident).Name]
		if !strings.Contains(from, ".") {
			return from + "." + expr.Sel.Name
		}
		return definition(from) + "." + expr.Sel.Name
	case *ast.StarExpr:
		return "*" + typeName(imports, expr.X)
	case *ast.ArrayType:
		return "[]" + typeName(imports, expr.Elt)
	case *ast.MapType:
		return "map[" + typeName(imports, expr.Key) + "]" + typeName(imports, expr.Value)
	}
	return "?"
}

func markers(wanted []string, docs ...*ast.CommentGroup) []string {
	var found []string
	for _, doc := range docs {
		if doc == nil {
			continue
		}
		for _, line := range doc.List {
			text, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(line.Text, "//")), "+")
			if name, _, _ := strings.Cut(text, "="); ok && has(wanted, strings.TrimSpace(name)) {
				found = append(found, text)
			}
		}
	}
	return found
}

func has(list []string, item string) bool {
	for _, one := range list {
		if one == item {
			return true
		}
	}
	return false
}

func without(list []string, item string) []string {
	var out []string
	for _, one := range list {
		if one != item {
			out = append(out, one)
		}
	}
	return out
}

// write prints one type a line, in the order of the names, so that a new release is a readable diff.
func write(packages map[string]*Package) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	line := func(value any) string {
		text, err := json.Marshal(value)
		fail(err)
		return string(text)
	}
	out.WriteString("{\n")
	for i, name := range sortedKeys(packages) {
		if i > 0 {
			out.WriteString(",\n")
		}
		fmt.Fprintf(out, "%s:{\"group\":%s,\"types\":{", line(name), line(packages[name].Group))
		for j, typeName := range sortedKeys(packages[name].Types) {
			if j > 0 {
				out.WriteString(",")
			}
			fmt.Fprintf(out, "\n%s:%s", line(typeName), line(packages[name].Types[typeName]))
		}
		out.WriteString("}}")
	}
	out.WriteString("\n}\n")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
