package assets

import (
	"reflect"
	"slices"
	"strconv"
	"testing"
)

const lessonText = `# Who answers?
<!-- machine: imac -->

Look at it.

` + "```yaml" + `
kind: Pod
` + "```" + `
` + "```console" + `
$ podpath pods
NAME … READY
web

$ podpath services
` + "```" + `

## Answer

` + "```keys" + `
2 /web enter   → not ready
` + "```" + `
Its probe fails.
`

func TestLessonIsTakenApart(t *testing.T) {
	want := Lesson{
		Name: "who", Title: "Who answers?", Machine: "imac", Manifests: []string{"kind: Pod\n"},
		Text:   "Look at it.\n\n    $ podpath pods\n    NAME … READY\n    web\n\n    $ podpath services",
		Answer: "    2 /web enter   → not ready\nIts probe fails.",
		Steps: []Step{
			{Command: "podpath pods", Want: []string{"NAME ", " READY", "web"}},
			{Command: "podpath services"},
			{Keys: []string{"2", "/web", "enter"}, Want: []string{"not ready"}},
		},
	}
	got := parseLesson("who", lessonText)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLessonFilesAreNumbered(t *testing.T) {
	for file, want := range map[string]string{"07-a-name.md": "a-name", "README.md": "", "a-name.md": "", "07-x.yaml": ""} {
		if name, ok := lessonName(file); ok != (want != "") || ok && name != want {
			t.Errorf("%s: got %q %v, want %q", file, name, ok, want)
		}
	}
}

func TestLessonsAreComplete(t *testing.T) {
	all := Lessons()
	var names []string
	for _, l := range all {
		if l.Title == "" || l.Text == "" || len(l.Steps) == 0 {
			t.Errorf("lesson %s lacks a title, a text or a step", l.Name)
		}
		if _, err := strconv.Atoi(l.Name); err == nil || l.Name == "off" {
			t.Errorf("lesson %s has a name that means something else", l.Name)
		}
		if slices.Contains(names, l.Name) {
			t.Errorf("there are two lessons %s", l.Name)
		}
		names = append(names, l.Name)
		if found, err := FindLesson(l.Name); err != nil || found.Title != l.Title {
			t.Errorf("lesson %s is not found: %v", l.Name, err)
		}
	}
	if _, err := FindLesson("none"); err == nil {
		t.Error("a lesson was found that does not exist")
	}
}

func TestLessonIsFoundByNameOrNumber(t *testing.T) {
	all := []Lesson{{Name: "first"}, {Name: "second"}}
	for which, want := range map[string]string{
		"first": "first", "second": "second", "1": "first", "2": "second", "02": "second",
		"": "", "0": "", "-1": "", "3": "", "2nd": "", "third": "",
	} {
		if got, ok := LessonAmong(all, which); got.Name != want || ok != (want != "") {
			t.Errorf("%q: got %q %v, want %q", which, got.Name, ok, want)
		}
	}
}
