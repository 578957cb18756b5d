package path

import "testing"

func TestTheClosestWordIsTheOneThatWasMeant(t *testing.T) {
	for _, test := range []struct {
		word  string
		among []string
		want  string
	}{
		{"wbe", []string{"api", "web"}, "web"},
		{"Web", []string{"web"}, "web"},
		{"web-svc", []string{"db", "web"}, "web"},
		{"web", []string{"shop-web", "db"}, "shop-web"},
		{"paymnets", []string{"payments", "orders"}, "payments"},
		{"shop.exmaple.com", []string{"shop.example.com"}, "shop.example.com"},
		{"db-9", []string{"db-0", "db-1"}, ""}, // either
		{"web", []string{"webbing"}, ""},
		{"web", []string{"cart"}, ""},
		{"a", []string{"b"}, ""},
		{"", []string{"web"}, ""},
		{"web", []string{""}, ""},
		{"web", nil, ""},
	} {
		if got := closest(test.word, test.among); got != test.want {
			t.Errorf("%q among %q: got %q, want %q", test.word, test.among, got, test.want)
		}
	}
}
