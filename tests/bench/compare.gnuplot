# SPDX-License-Identifier: GPL-2.0
# One chart for the disks, one for the cards: every test against its best
# contender. Reads disk.dat and net.dat; terminal and output are the caller's.
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.9
set yrange [0:115]
set ylabel "percent of the best contender"
set key outside top center horizontal
set grid ytics
set multiplot layout 2,1
set title "Disk (IOPS)" offset 0,1
plot for [i=2:6] "disk.dat" using i:xtic(1) title columnheader(i)
set title "Network (throughput, transactions, packets)" offset 0,1
plot for [i=2:4] "net.dat" using i:xtic(1) title columnheader(i)
unset multiplot
