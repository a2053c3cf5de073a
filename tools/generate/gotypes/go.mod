module dinghy/gotypes

go 1.22
