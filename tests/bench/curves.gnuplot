# SPDX-License-Identifier: GPL-2.0
# One chart for each file of curves: x, then a column for each contender. The
# caller sets terminal, output and panels: words NAME:COLUMNS, with NAME.dat.
set style data linespoints
set key inside top left
set grid
set logscale xy
set datafile missing "NaN"
set format y "%g"
set multiplot layout 3,2
do for [panel in panels] {
	colon = strstrt(panel, ":")
	name = substr(panel, 1, colon - 1)
	columns = int(substr(panel, colon + 1, strlen(panel)))
	set logscale x 2
	if (name eq "depth") {
		set title "4k random reads by depth"
		set xlabel "requests in flight"
		set ylabel "IOPS"
	}
	if (name eq "size") {
		set title "random reads by size, depth 32"
		set xlabel "bytes"
		set ylabel "MB/s"
	}
	if (name eq "exits") {
		set title "exits of a 4k random read"
		set xlabel "requests in flight"
		set ylabel "exits"
	}
	if (name eq "cpu") {
		set title "CPU time of the host for a 4k random read"
		set xlabel "requests in flight"
		set ylabel "us"
	}
	if (name eq "udp") {
		set title "UDP, guest to host, by size of the message"
		set xlabel "bytes"
		set ylabel "messages per second"
	}
	if (name eq "rr") {
		set title "TCP back and forth, by size of the message"
		set xlabel "bytes"
		set ylabel "round trips per second"
	}
	plot for [i=2:columns] name.".dat" using 1:i title columnheader(i)
}
unset multiplot
