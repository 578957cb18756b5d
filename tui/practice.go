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
	// Lesson is the name of the one that the cluster began with, or "".
	Lesson string
}

// lessonBegan says that the cluster is what a lesson needs, or why not.
type lessonBegan struct {
	lesson assets.Lesson
	err    error
}

// learn lists the lessons, or begins one.
func learn(m *Model, name string) tea.Cmd {
	p := m.options.Practice
	if p == nil {
		m.notice = "Lessons need the practice cluster: podpath --demo"
		return nil
	}
	if name == "" {
		m.push(lessons.New(m.theme, p.Lessons, m.lesson))
		return nil
	}
	i := slices.IndexFunc(p.Lessons, func(l assets.Lesson) bool { return l.Name == name })
	if i < 0 {
		m.notice = "There is no lesson " + name + "; :lessons lists them."
		return nil
	}
	return m.beginLesson(p.Lessons[i])
}

func (m *Model) beginLesson(l assets.Lesson) tea.Cmd {
	begin := m.options.Practice.Begin
	return func() tea.Msg { return lessonBegan{l, begin(l)} }
}

func (m *Model) receiveLesson(msg lessonBegan) {
	if msg.err != nil {
		m.notice = kube.Clean(msg.err.Error())
		return
	}
	m.lesson = msg.lesson.Name
	m.push(lessons.NewText(m.theme, msg.lesson))
}

// welcome shows a learner where to begin.
func (m *Model) welcome() {
	p := m.options.Practice
	if p == nil {
		return
	}
	m.notice = "This is the practice cluster. :lessons shows what there is to try."
	m.lesson = p.Lesson
	if i := slices.IndexFunc(p.Lessons, func(l assets.Lesson) bool { return l.Name == p.Lesson }); i >= 0 {
		m.push(lessons.NewText(m.theme, p.Lessons[i]))
	}
}
