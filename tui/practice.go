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
	lesson  assets.Lesson
	cluster Cluster
	err     error
}

// lessonNamespace is where each lesson begins.
const lessonNamespace = "default"

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
	m.push(lessons.NewText(m.theme, msg.lesson))
	return m.follow(msg.cluster)
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
