package tui

import (
	"errors"
	"strings"
	"testing"

	"podpath/assets"
)

// practising is a practice cluster that refuses one lesson.
func practising(began *[]string) *Practice {
	long := strings.Repeat("e, and so on.\n\n", 30)
	return &Practice{
		Lessons: []assets.Lesson{
			{Name: "one", Title: "The first", Text: "Look at `this`,\nand at that.\n\n    $ podpath pods\n\n- a point"},
			{Name: "broken", Title: "The broken one, about which there is really nothing more to say", Text: "Nobody sees it."},
			{Name: "riddle", Title: "The riddle", Text: "What is wrong?\n\n" + long, Answer: "## Why\n\nThe **selector**.\n\n" + long},
		},
		Begin: func(l assets.Lesson) error {
			*began = append(*began, l.Name)
			if l.Name == "broken" {
				return errors.New("no such Node")
			}
			return nil
		},
	}
}

// learns makes the cluster one to practise on.
func (s *screen) learns() { s.model.options.Practice = practising(new([]string)) }

func TestLessonBeginsAndIsShown(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began)}, func(s *screen) {
		s.sees("practice cluster", ":lessons")
		s.enter(":", "lessons")
		s.sees("1  one    The first", "3  riddle The riddle")
		s.press("enter")
		s.sees("Pods › one", "The first\n", "Look at this, and at that.", "    $ podpath pods", "- a point")
		s.press("esc")
		s.enter(":", "lessons")
		s.sees("current")
		s.press("enter") // read on
		s.sees("Lessons › one", "The first\n")
		s.enter(":", "lesson one") // once more from the start
		s.sees("Pods › one", "The first\n")
	})
	if len(began) != 2 || began[0] != "one" || began[1] != "one" {
		t.Errorf("got %q, want one to have begun twice", began)
	}
}

// What a lesson says to press must not depend on what was pressed before.
func TestLessonBeginsWithoutFiltersInItsNamespace(t *testing.T) {
	var began []string
	drive(t, setup{all: true, practice: practising(&began)}, func(s *screen) {
		s.press("2")
		s.enter("/", "dual")
		s.enter(":", "lesson one")
		s.sees("raspi/one › default", "Pods › one", "The first")
		s.press("2")
		s.sees("\nServices  ", "sample-clusterip")
		s.misses("/dual")
		s.enter(":", "lessons broken")
		s.sees("no such Node", "\nServices  ", "sample-clusterip")
	})
}

func TestRiddleHidesItsAnswer(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began), height: 100, width: 80}, func(s *screen) {
		s.enter(":", "lesson riddle")
		s.sees("What is wrong?", "a shows the answer")
		s.misses("selector")
		s.press("a")
		s.sees("Answer", "Why\n", "The selector.")
		s.misses("a shows the answer")
	})
}

func TestLessonThatCannotBeginSaysWhy(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began)}, func(s *screen) {
		s.enter(":", "lessons broken")
		s.sees("no such Node")
		s.enter(":", "lessons none")
		s.sees("There is no lesson none")
	})
}

// Where a list shows numbers, a number is what somebody types.
func TestLessonBeginsByItsNumber(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began)}, func(s *screen) {
		s.enter(":", "lesson 3")
		s.sees("Pods › riddle", "What is wrong?")
		s.enter(":", "lesson 4")
		s.sees("There is no lesson 4")
	})
}

// A fault that stays on must not be taken for one of the cluster.
func TestHeaderNamesTheLessonUntilItEnds(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began), width: 120}, func(s *screen) {
		s.misses("raspi/")
		s.enter(":", "lesson riddle")
		s.press("esc")
		s.sees("podpath raspi/riddle › default", "\nPods  ")
		s.resize(60, 24)
		s.sees("/riddle › default")
		s.resize(120, 24)
		s.enter(":", "lesson off")
		s.sees("podpath raspi › default", "\nPods  ", "No lesson goes on now")
		s.enter(":", "lessons")
		s.misses("current")
	})
	if len(began) != 2 || began[1] != "" {
		t.Errorf("got %q, want the riddle and then none", began)
	}
}

func TestLessonsOnTopOfThemselvesAreOneList(t *testing.T) {
	var began []string
	drive(t, setup{practice: practising(&began)}, func(s *screen) {
		s.enter(":", "lesson one")
		s.press("esc")
		s.enter(":", "lessons")
		s.enter(":", "lessons")
		s.sees("\nPods › Lessons  ")
		s.press("enter")
		s.sees("Pods › Lessons › one")
		s.enter(":", "lessons")
		s.sees("\nPods › Lessons  ")
	})
}

func TestPracticeBeginsWithALesson(t *testing.T) {
	var began []string
	practice := practising(&began)
	practice.Lesson = "riddle"
	for _, practice.Lesson = range []string{"riddle", "3"} {
		drive(t, setup{practice: practice}, func(s *screen) { s.sees("raspi/riddle › ", "Pods › riddle", "What is wrong?") })
	}
	if len(began) > 0 {
		t.Errorf("got %q begun again, want none: the cluster began with it", began)
	}
}

func TestLessonsNeedThePracticeCluster(t *testing.T) {
	drive(t, setup{}, func(s *screen) {
		s.enter(":", "lessons")
		s.sees("podpath --demo")
	})
}
