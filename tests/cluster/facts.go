package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"time"

	extensions "k8s.io/apiextensions-apiserver/pkg/apiserver"
	extensionsopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	registration "k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/controlplane" // registers every built-in group
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// trials is how often each kind is filled at random; enough for the deepest field of a CronJob to be met empty often.
const trials = 400

// rarely is how often a field must have been met empty before what was seen counts.
const rarely = 5

// fact is what Go knows of a field and OpenAPI does not.
type fact struct {
	Go      string          `json:"x-go"`
	Default json.RawMessage `json:"default,omitempty"`
}

// facts prints, by OpenAPI definition and JSON field, the flags of the Go field and the default that the server sets.
func facts(out, log io.Writer) error {
	l := learner{facts: map[string]map[string]*fact{}, enums: map[string][]string{}, seen: map[place]map[string]string{},
		count: map[place]int{}, random: rand.New(rand.NewSource(1)), log: log}
	l.readEnums(openapi.GetOpenAPIDefinitions)
	l.readEnums(extensionsopenapi.GetOpenAPIDefinitions)
	for _, scheme := range []*runtime.Scheme{legacyscheme.Scheme, extensions.Scheme, registration.Scheme} {
		l.learn(scheme)
	}
	l.conclude()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(l.facts)
}

// place is a field of a definition.
type place struct{ definition, field string }

type learner struct {
	facts  map[string]map[string]*fact
	enums  map[string][]string
	seen   map[place]map[string]string // what an empty field became ("" for nothing) and a kind where it did
	count  map[place]int
	random *rand.Rand
	log    io.Writer
}

// readEnums collects the values that fields are documented to take: a default may hang on one of them.
func (l *learner) readEnums(definitions common.GetOpenAPIDefinitions) {
	ref := func(path string) spec.Ref { return spec.MustCreateRef("#/" + path) }
	for name, definition := range definitions(ref) {
		for field, schema := range definition.Schema.Properties {
			for _, value := range schema.Enum {
				if text, ok := value.(string); ok {
					key := name + " " + field
					l.enums[key] = append(l.enums[key], text)
				}
			}
		}
	}
}

func (l *learner) learn(scheme *runtime.Scheme) {
	var kinds []reflect.Type
	for gvk, t := range scheme.AllKnownTypes() {
		_, list := t.FieldByName("Items")
		// Options, statuses and watch events are in every group and are no objects of a cluster.
		shared := t.PkgPath() == reflect.TypeFor[metav1.Status]().PkgPath()
		if gvk.Version != runtime.APIVersionInternal && !list && !shared {
			kinds = append(kinds, t)
		}
	}
	// Sorted, because the order of a map would change what the random source gives to whom.
	slices.SortFunc(kinds, func(a, b reflect.Type) int { return strings.Compare(definition(a), definition(b)) })
	for _, t := range slices.Compact(kinds) {
		l.describe(t)
		if t.Name() == "VolumeAttachment" {
			// A controller makes these and nobody declares one; the volume's spec in it is a copy that is not defaulted again.
			continue
		}
		for i := range trials {
			l.try(scheme, t, i)
		}
	}
}

// field is one JSON field of a struct, embedded structs' fields included.
type field struct {
	name                string
	index               []int
	kind                reflect.Type
	omitEmpty, omitZero bool
}

func fields(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case f.Anonymous && name == "":
			for _, inner := range fields(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				all = append(all, inner)
			}
		default:
			if name == "" {
				name = f.Name
			}
			has := func(option string) bool { return slices.Contains(strings.Split(options, ","), option) }
			all = append(all, field{name, []int{i}, f.Type, has("omitempty"), has("omitzero")})
		}
	}
	return all
}

// opaque is a type that writes its own JSON, whose Go fields are therefore nobody's business.
func opaque(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]())
}

// definition is a type's name in OpenAPI.
func definition(t reflect.Type) string {
	if named, ok := reflect.New(t).Interface().(interface{ OpenAPIModelName() string }); ok {
		// A struct that embeds another has the other's method, and so its name.
		if name := named.OpenAPIModelName(); strings.HasSuffix(name, "."+t.Name()) {
			return name
		}
	}
	host, path, _ := strings.Cut(t.PkgPath(), "/")
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + strings.ReplaceAll(path, "/", ".") + "." + t.Name()
}

// describe notes the flags of a type's fields, and of all types below it.
func (l *learner) describe(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		l.describe(t.Elem())
		return
	case reflect.Struct:
	default:
		return
	}
	name := definition(t)
	if opaque(t) || l.facts[name] != nil {
		return
	}
	l.facts[name] = map[string]*fact{}
	for _, f := range fields(t) {
		flags := ""
		if f.omitEmpty || f.omitZero {
			flags += "o"
		}
		if f.kind.Kind() == reflect.Pointer {
			flags += "p"
		}
		if f.kind.Kind() == reflect.Struct {
			flags += "s"
		}
		if f.omitZero {
			flags += "z"
		}
		l.facts[name][f.name] = &fact{Go: flags}
		l.describe(f.kind)
	}
}

// try fills an object of a kind, lets it be defaulted and notes what became of the fields that were left empty.
func (l *learner) try(scheme *runtime.Scheme, t reflect.Type, trial int) {
	before := reflect.New(t)
	f := filler{l: l, below: map[reflect.Type]int{}}
	// The first has every struct, list and map and no scalar: the plainest question. The others find out whether an answer
	// hangs on what stands beside the field, and what stands in for a missing struct.
	if trial == 0 {
		f.structures, f.scalars = 1, 0
	} else {
		f.structures, f.scalars = []float64{1, 0.9, 0.75, 0.5}[trial%4], []float64{0, 0.3, 0.6, 0.9}[(trial/4)%4]
	}
	f.fill(before.Elem(), "")
	after := before.Interface().(runtime.Object).DeepCopyObject()
	defer func() {
		if problem := recover(); problem != nil && trial == 0 {
			fmt.Fprintf(l.log, "%s: defaulting failed: %v\n", definition(t), problem)
		}
	}()
	scheme.Default(after)
	l.compare(before.Elem(), reflect.ValueOf(after).Elem(), definition(t))
}

type filler struct {
	l                   *learner
	structures, scalars float64
	below               map[reflect.Type]int
}

func (f *filler) chance(of float64) bool { return f.l.random.Float64() < of }

func pick[T any](f *filler, from ...T) T { return from[f.l.random.Intn(len(from))] }

// fill gives a value to what may have one; enum is the key of the values that are documented for it.
func (f *filler) fill(v reflect.Value, enum string) {
	t := v.Type()
	switch t {
	case reflect.TypeFor[metav1.TypeMeta](), reflect.TypeFor[metav1.ObjectMeta](), reflect.TypeFor[metav1.ListMeta]():
		// What stands there does not come from defaulting; annotations once steered it, but no more.
		if t == reflect.TypeFor[metav1.ObjectMeta]() && f.chance(f.scalars) {
			v.FieldByName("Name").SetString(pick(f, "x", "exempt", "catch-all"))
			v.FieldByName("Labels").Set(reflect.ValueOf(map[string]string{"x": "x"}))
		}
		return
	}
	if t.Kind() == reflect.Struct && opaque(t) {
		if f.chance(f.scalars) {
			f.fillOpaque(v)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		if f.below[t] > 1 { // schemas contain schemas
			return
		}
		f.below[t]++
		for _, inner := range fields(t) {
			f.fill(v.FieldByIndex(inner.index), definition(t)+" "+inner.name)
		}
		f.below[t]--
	case reflect.Pointer:
		element := t.Elem()
		chance := f.scalars
		if element.Kind() == reflect.Struct && !opaque(element) {
			chance = f.structures
			if f.below[element] > 1 {
				return
			}
		}
		if f.chance(chance) {
			v.Set(reflect.New(element))
			f.fill(v.Elem(), enum)
		}
	case reflect.Slice:
		if f.chance(f.structures) && f.below[t.Elem()] < 2 {
			v.Set(reflect.MakeSlice(t, 1, 1))
			f.fill(v.Index(0), enum)
		}
	case reflect.Map:
		if f.chance(f.structures) && f.below[t.Elem()] < 2 {
			v.Set(reflect.MakeMap(t))
			key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			key.SetString(pick(f, "x", "cpu", "memory", "storage"))
			f.fill(value, enum)
			v.SetMapIndex(key, value)
		}
	default:
		if f.chance(f.scalars) {
			f.fillScalar(v, enum)
		}
	}
}

func (f *filler) fillScalar(v reflect.Value, enum string) {
	switch v.Kind() {
	case reflect.String:
		values := append([]string{"x", "x:1", "x:latest"}, f.l.enums[enum]...)
		// The names of kinds, which decide about the group of a subject, are in no enum.
		if strings.HasSuffix(enum, " kind") {
			values = append(values, "User", "Group", "ServiceAccount", "PersistentVolumeClaim")
		}
		v.SetString(pick(f, values...))
	case reflect.Bool:
		v.SetBool(pick(f, true, false))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(pick(f, int64(0), 1, 2, 80))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(pick(f, uint64(0), 1, 2, 80))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	}
}

func (f *filler) fillOpaque(v reflect.Value) {
	switch v.Addr().Interface().(type) {
	case *resource.Quantity:
		v.Set(reflect.ValueOf(resource.MustParse(pick(f, "1", "500m", "1Gi"))))
	case *intstr.IntOrString:
		v.Set(reflect.ValueOf(pick(f, intstr.FromInt32(1), intstr.FromString("x"), intstr.FromString("50%"))))
	case *metav1.Time:
		v.Set(reflect.ValueOf(metav1.NewTime(time.Unix(1e9, 0))))
	case *metav1.MicroTime:
		v.Set(reflect.ValueOf(metav1.NewMicroTime(time.Unix(1e9, 0))))
	case *metav1.Duration:
		v.Set(reflect.ValueOf(metav1.Duration{Duration: time.Minute}))
	}
}

// compare walks an object as it was filled and as it was defaulted.
func (l *learner) compare(before, after reflect.Value, kind string) {
	t := before.Type()
	switch t.Kind() {
	case reflect.Struct:
		if opaque(t) {
			return
		}
		for _, f := range fields(t) {
			was, is := before.FieldByIndex(f.index), after.FieldByIndex(f.index)
			if empty(was) && (f.kind.Kind() != reflect.Struct || opaque(f.kind)) {
				l.note(place{definition(t), f.name}, is, kind)
			} else {
				l.compare(was, is, kind)
			}
		}
	case reflect.Pointer:
		if !before.IsNil() && !after.IsNil() {
			l.compare(before.Elem(), after.Elem(), kind)
		}
	case reflect.Slice:
		for i := range min(before.Len(), after.Len()) {
			l.compare(before.Index(i), after.Index(i), kind)
		}
	case reflect.Map:
		for _, key := range before.MapKeys() {
			if value := after.MapIndex(key); value.IsValid() {
				l.compare(before.MapIndex(key), value, kind)
			}
		}
	}
}

// empty is true for what JSON would not tell from an absent field.
func empty(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

func (l *learner) note(at place, became reflect.Value, kind string) {
	switch became.Type() {
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[*metav1.Time](), reflect.TypeFor[*metav1.MicroTime]():
		return // the time of the trial
	}
	text := ""
	if !empty(became) {
		bytes, err := json.Marshal(became.Interface())
		if err != nil {
			fmt.Fprintf(l.log, "%s %s: %v\n", at.definition, at.field, err)
			return
		}
		text = string(bytes)
	}
	if l.seen[at] == nil {
		l.seen[at] = map[string]string{}
	}
	if l.seen[at][text] == "" {
		l.seen[at][text] = kind
	}
	l.count[at]++
}

// conclude keeps the defaults that hung on nothing, and names the others.
func (l *learner) conclude() {
	var lines []string
	for at, outcomes := range l.seen {
		known := l.facts[at.definition][at.field]
		_, untouched := outcomes[""]
		switch {
		case known == nil || untouched && len(outcomes) == 1:
		case len(outcomes) == 1 && l.count[at] >= rarely:
			for text := range outcomes {
				known.Default = json.RawMessage(text)
			}
		default:
			// The Rust side has to know by what such a default is decided: a test there holds its table against these marks.
			known.Go += "d"
			var became []string
			for text, kind := range outcomes {
				if text == "" {
					text = "nothing"
				}
				became = append(became, fmt.Sprintf("%s (%s)", text, kind[strings.LastIndex(kind, ".")+1:]))
			}
			slices.Sort(became)
			some := strings.Join(became[:min(3, len(became))], " or ")
			lines = append(lines, fmt.Sprintf("no fixed default: %s %s: %s", at.definition, at.field, some))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(l.log, line)
	}
}
