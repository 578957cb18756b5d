package lessons

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"podpath/assets"
	"podpath/tui/golden"
	"podpath/tui/page"
	"podpath/tui/style"
)

var some = []assets.Lesson{
	{Name: "one-pod", Title: "Two containers in one Pod", Text: "Look at `it`."},
	{Name: "bakery", Title: "Riddle: the bakery where nobody serves", Text: strings.TrimSpace(`
In the namespace **bakery** two Pods sell bread, and
both are ready. Who asks their Service is turned away.

    :ns bakery enter   → bread-1
    $ podpath probe --lesson bakery -n bakery pod/client svc/bread

## What it teaches

- A Service does not know its Pods by name. It
  takes those with its labels.
- Nobody complains when there is none.`), Answer: "One letter is missing:\n\n    selector: {app: bread}"},
	{Name: "gate", Title: "Two of three gates are shut", Text: "Look."},
}

// shown is what a view draws, without colours and trailing spaces.
func shown(view interface{ View() string }) string {
	lines := strings.Split(ansi.Strip(view.View()), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

func press(view interface{ Update(tea.KeyPressMsg) tea.Cmd }, keys ...string) tea.Cmd {
	var cmd tea.Cmd
	for _, k := range keys {
		message := tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
		if k == "enter" {
			message = tea.KeyPressMsg{Code: tea.KeyEnter}
		}
		cmd = view.Update(message)
	}
	return cmd
}

func TestListMarksTheLessonThatGoesOn(t *testing.T) {
	v := New(style.NewTheme(true), some, "bakery")
	v.SetSize(60, 5)
	golden.Check(t, "list-60x5.golden", shown(v))
	if selected, ok := v.Selected(); !ok || selected.Name != "bakery" {
		t.Errorf("got the cursor on %q, want it on the lesson that goes on", selected.Name)
	}
}

func TestEnterBeginsALesson(t *testing.T) {
	v := New(style.NewTheme(true), some, "")
	v.SetSize(60, 5)
	cmd := press(v, "j", "j", "enter")
	if cmd == nil {
		t.Fatal("enter asked for nothing")
	}
	if got, ok := cmd().(Begin); !ok || got.Lesson.Name != "gate" {
		t.Errorf("got %+v, want to begin gate", got)
	}
}

func TestListIsFilteredByTitleAndName(t *testing.T) {
	for filter, want := range map[string]string{"containers": "one-pod", "gate": "gate", "serves": "bakery"} {
		v := New(style.NewTheme(true), some, "")
		v.SetSize(60, 5)
		if err := v.SetFilter(filter); err != nil {
			t.Fatal(err)
		}
		if got, ok := v.Selected(); !ok || got.Name != want {
			t.Errorf("%s: got %q, want %q", filter, got.Name, want)
		}
	}
	v := New(style.NewTheme(true), some, "")
	v.SetSize(60, 5)
	if err := v.SetFilter("gate"); err != nil {
		t.Fatal(err)
	}
	if got := shown(v); !strings.Contains(got, "3") {
		t.Errorf("got\n%s\nwant the number that the lesson has without the filter", got)
	}
}

func TestWithoutLessonsEnterDoesNothing(t *testing.T) {
	v := New(style.NewTheme(true), nil, "")
	v.SetSize(60, 5)
	if cmd := press(v, "enter"); cmd != nil {
		t.Errorf("got %v", cmd())
	}
}

func TestTextOfARiddle(t *testing.T) {
	for name, size := range map[string][2]int{"80x20": {80, 20}, "40x24": {40, 24}} {
		v := NewText(style.NewTheme(true), some[1])
		v.SetSize(size[0], size[1])
		golden.Check(t, "riddle-"+name+".golden", shown(v))
		press(v, "a", "G")
		golden.Check(t, "answer-"+name+".golden", shown(v))
	}
}

func TestTheAnswerIsHiddenUntilItIsAskedFor(t *testing.T) {
	v := NewText(style.NewTheme(true), some[1])
	v.SetSize(80, 24)
	if strings.Contains(v.Text(), "One letter is missing") || v.Bindings()[0].Help().Key != "a" {
		t.Errorf("got the answer, or no key for it, in\n%s", v.Text())
	}
	press(v, "a")
	if !strings.Contains(v.Text(), "One letter is missing") || strings.Contains(v.Text(), "Try it first") || v.Bindings()[0].Help().Key == "a" {
		t.Errorf("got no answer in\n%s", v.Text())
	}
}

func TestALessonWithoutAnAnswerHasNoKeyForIt(t *testing.T) {
	v := NewText(style.NewTheme(true), some[0])
	v.SetSize(80, 24)
	before := v.Text()
	press(v, "a")
	if v.Text() != before || strings.Contains(before, "Try it first") || v.Bindings()[0].Help().Key == "a" {
		t.Errorf("got %q", v.Text())
	}
}

func TestMarkdownBecomesLines(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []page.Line
	}{
		"lines of a paragraph are joined": {"one\ntwo\n\nthree", []page.Line{{Text: "one two"}, {}, {Text: "three"}}},
		"marks of words are left out":     {"a `b` **c**", []page.Line{{Text: "a b c"}}},
		"a heading":                       {"## Why", []page.Line{{Text: "Why", Role: style.Title}}},
		"a list":                          {"- one\n  more\n- two", []page.Line{{Text: "- one more", Indent: 2}, {Text: "- two", Indent: 2}}},
		"what to type stays as it is": {"so:\n    a `b`\n    c", []page.Line{
			{Text: "so:"}, {Text: "    a `b`", Role: style.Accent, Indent: 6}, {Text: "    c", Role: style.Accent, Indent: 6},
		}},
		"text after what to type": {"    a\nb", []page.Line{{Text: "    a", Role: style.Accent, Indent: 6}, {Text: "b"}}},
	} {
		got := linesOf(c.text)
		if len(got) != len(c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: got %+v, want %+v", name, got[i], c.want[i])
			}
		}
	}
}

// What the lessons write must be drawn as it is meant.
func TestLessonsUseOnlyTheMarkdownThatIsDrawn(t *testing.T) {
	for _, l := range assets.Lessons() {
		for _, text := range []string{l.Text, l.Answer} {
			for _, line := range linesOf(text) {
				if line.Role == style.Accent {
					continue
				}
				for _, mark := range []string{"`", "**", "](", "<!--", "# "} {
					if strings.Contains(line.Text, mark) {
						t.Errorf("%s: got %q, in which %q is not drawn", l.Name, line.Text, mark)
					}
				}
			}
		}
	}
}
