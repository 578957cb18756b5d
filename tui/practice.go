package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"podpath/assets"
	"podpath/kube"
	"podpath/tui/lessons"
)

// Practice is the practice cluster, where that is what is followed.
type Practice struct {
	Lessons []assets.Lesson
	// Begin makes the cluster what a lesson needs.
	Begin func(assets.Lesson) error
	// Lesson is the name or number of the one that the cluster began with, or "".
	Lesson string
}

// lessonBegan says that the cluster is what a lesson needs, or why not.
type lessonBegan struct {
	lesson  assets.Lesson
	cluster Cluster
	err     error
}

// noLesson is typed in place of a lesson's name to end the one that goes on.
const noLesson = "off"

// lessonNamespace is where each lesson begins.
const lessonNamespace = "default"

// learn lists the lessons, begins one, or ends the one that goes on.
func learn(m *Model, which string) tea.Cmd {
	p := m.options.Practice
	if p == nil {
		m.notice = "Lessons need the practice cluster: podpath --demo"
		return nil
	}
	switch which {
	case "":
		m.listLessons()
		return nil
	case noLesson:
		return m.beginLesson(assets.Lesson{})
	}
	l, ok := assets.LessonAmong(p.Lessons, which)
	if !ok {
		m.notice = "There is no lesson " + which + "; :lessons lists them."
		return nil
	}
	return m.beginLesson(l)
}

// listLessons shows the list on top of where the user is, or goes back to it
// where that is somewhere below.
func (m *Model) listLessons() {
	listed := func(v view) bool { _, ok := v.(*lessons.View); return ok }
	if i := slices.IndexFunc(m.stack, listed); i >= 0 {
		m.stack = m.stack[:i]
	}
	m.push(lessons.New(m.theme, m.options.Practice.Lessons, m.lesson))
}

// beginLesson begins a lesson and ends the one before. The zero lesson leaves
// the practice cluster as it is without any.
func (m *Model) beginLesson(l assets.Lesson) tea.Cmd {
	m.choices++ // whatever was chosen before does not count any more
	begin, connect := m.options.Practice.Begin, m.options.Connect
	choice := Choice{Context: m.session.Context, Namespace: lessonNamespace}
	return func() tea.Msg {
		if err := begin(l); err != nil {
			return lessonBegan{lesson: l, err: err}
		}
		cluster, err := connect(choice)
		return lessonBegan{l, cluster, err}
	}
}

// receiveLesson shows the lesson, on top of panes without a filter and without
// results of the lesson before: its steps begin there.
func (m *Model) receiveLesson(msg lessonBegan) tea.Cmd {
	if msg.err != nil {
		m.notice = kube.Clean(msg.err.Error())
		return nil
	}
	m.lesson = msg.lesson.Name
	for _, pane := range m.panes {
		if l, ok := pane.(lister); ok {
			_ = l.SetFilter("") // which can always be read
		}
	}
	m.show(m.panes[0])
	m.reset(msg.cluster)
	if m.lesson == "" {
		m.notice = "No lesson goes on now; :lessons lists them."
	} else {
		m.push(lessons.NewText(m.theme, msg.lesson))
	}
	return m.follow(msg.cluster)
}

// welcome shows a learner where to begin.
func (m *Model) welcome() {
	p := m.options.Practice
	if p == nil {
		return
	}
	m.notice = "This is the practice cluster. :lessons shows what there is to try."
	if l, ok := assets.LessonAmong(p.Lessons, p.Lesson); ok {
		m.lesson = l.Name
		m.push(lessons.NewText(m.theme, l))
	}
}
