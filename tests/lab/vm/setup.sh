# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every bash program in either VM begins with.  Sourced.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Any other locale is a dozen files to open at the start of every program.
export HOME=/root TERM=linux LC_ALL=C

# setup_system HOSTNAME: for PID 1.
setup_system() {
	local release moddir

	echo "$1" >/proc/sys/kernel/hostname
	ulimit -c 0
	# A kernel built for the lab has its modules, if any, elsewhere.
	release=$(</proc/sys/kernel/osrelease)
	moddir=${LAB_KERNEL_MODDIR[$release]:-}
	if [ -n "$moddir" ] && [ ! -e "/lib/modules/$release" ]; then
		ln -s "$moddir" "/lib/modules/$release"
	fi
}
