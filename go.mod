module podpath

go 1.26
