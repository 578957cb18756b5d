package assets

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Lesson is something to learn on the practice cluster. Its text is Markdown,
// one file each in demo/lessons: see the README there.
type Lesson struct {
	// Name is that of its file, without a number before it.
	Name  string
	Title string
	// Machine is where podpath seems to run meanwhile; "" for the master.
	Machine string
	// Manifests are applied to the cluster for the time of the lesson.
	Manifests []string
	// Text is what the learner reads at first, Answer what solves a riddle; ""
	// when there is none.
	Text, Answer string
	// Steps are what the learner does, in their order in Text and Answer.
	Steps []Step
}

// Step is a command line to type, or keys to press in the terminal UI; one of
// both is empty.
type Step struct {
	Command string // begins with podpath
	Keys    []string
	// Want is what is seen then, texts in their order.
	Want []string
}

// Lessons returns all lessons in the order to learn them.
func Lessons() []Lesson {
	entries, err := demo.ReadDir("demo/lessons")
	if err != nil {
		panic(err) // it is embedded
	}
	var out []Lesson
	for _, e := range entries {
		if name, ok := lessonName(e.Name()); ok {
			text, err := demo.ReadFile(path.Join("demo/lessons", e.Name()))
			if err != nil {
				panic(err)
			}
			out = append(out, parseLesson(name, string(text)))
		}
	}
	return out
}

// lessonName takes NUMBER-NAME.md apart.
func lessonName(file string) (name string, ok bool) {
	name, ok = strings.CutSuffix(file, ".md")
	number, name, numbered := strings.Cut(name, "-")
	return name, ok && numbered && number != "" && strings.Trim(number, "0123456789") == ""
}

// FindLesson returns the lesson of a name or number.
func FindLesson(which string) (Lesson, error) {
	l, ok := LessonAmong(Lessons(), which)
	if !ok {
		return Lesson{}, fmt.Errorf("there is no lesson %q; podpath demo lessons lists them", which)
	}
	return l, nil
}

// LessonAmong returns the lesson of a name, or of a number that lists of all
// lessons show: the first is 1.
func LessonAmong(all []Lesson, which string) (l Lesson, ok bool) {
	i := slices.IndexFunc(all, func(l Lesson) bool { return l.Name == which })
	if number, err := strconv.Atoi(which); i < 0 && err == nil {
		i = number - 1
	}
	if i < 0 || i >= len(all) {
		return Lesson{}, false
	}
	return all[i], true
}

// What is special in the text of a lesson.
const (
	answerHeading = "## Answer"      // begins what is hidden at first
	machineMark   = "<!-- machine: " // and the name of a machine
	fence         = "```"            // begins and ends a block; its kind follows
	manifestBlock = "yaml"           // is for the cluster alone
	consoleBlock  = "console"        // has commands after "$ ", each with what it prints
	keysBlock     = "keys"           // has keys, an arrow, and what is seen then
)

// parseLesson takes the text of a lesson apart.
func parseLesson(name, text string) Lesson {
	l := Lesson{Name: name}
	var shown, answer strings.Builder
	into := &shown
	var block []string // the fenced block that the line is in
	for line := range strings.Lines(text) {
		bare := strings.TrimRight(line, "\n")
		switch machine, isMachine := strings.CutPrefix(bare, machineMark); {
		case block != nil && bare == fence:
			into.WriteString(l.take(block[0], block[1:]))
			block = nil
		case block != nil:
			block = append(block, bare)
		case strings.HasPrefix(bare, fence):
			block = []string{strings.TrimPrefix(bare, fence)}
		case isMachine:
			l.Machine = strings.TrimSuffix(machine, " -->")
		case strings.HasPrefix(bare, "# "):
			l.Title = bare[2:]
		case bare == answerHeading:
			into = &answer
		default:
			into.WriteString(line)
		}
	}
	l.Text, l.Answer = strings.Trim(shown.String(), "\n"), strings.Trim(answer.String(), "\n")
	return l
}

// take notes what a block is for, and returns what the learner sees of it: its
// lines, indented.
func (l *Lesson) take(kind string, lines []string) (shown string) {
	switch kind {
	case manifestBlock:
		l.Manifests = append(l.Manifests, strings.Join(lines, "\n")+"\n")
		return ""
	case consoleBlock:
		for _, line := range lines {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				l.Steps = append(l.Steps, Step{Command: command})
			} else if last := len(l.Steps) - 1; last >= 0 && strings.TrimSpace(line) != "" {
				l.Steps[last].Want = append(l.Steps[last].Want, strings.Split(strings.TrimSpace(line), "…")...)
			}
		}
	case keysBlock:
		for _, line := range lines {
			pressed, seen, _ := strings.Cut(line, "→")
			l.Steps = append(l.Steps, Step{Keys: strings.Fields(pressed), Want: []string{strings.TrimSpace(seen)}})
		}
	}
	for _, line := range lines {
		shown += strings.TrimRight("    "+line, " ") + "\n"
	}
	return shown
}
