# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What PID 1 of either VM does first: the rest of the mounts and the little
# that a booted system has beyond them.  Sourced.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Any other locale is a dozen files to open at the start of every program.
export HOME=/root TERM=linux LC_ALL=C

# $1 = file system type, $2 = where, $3 = options; absent ones are no error:
# a kernel built for one purpose need not have them all.
_setup_mount() {
	mountpoint -q "$2" && return 0
	mkdir -p "$2" 2>/dev/null
	mount -t "$1" ${3:+-o "$3"} "$1" "$2" 2>/dev/null
}

setup_mounts() {
	_setup_mount devpts /dev/pts gid=5,mode=620,ptmxmode=666
	_setup_mount tmpfs /dev/shm mode=1777
	_setup_mount debugfs /sys/kernel/debug
	_setup_mount tracefs /sys/kernel/tracing
	_setup_mount cgroup2 /sys/fs/cgroup
	_setup_mount configfs /sys/kernel/config ||
		{ modprobe -q configfs && _setup_mount configfs /sys/kernel/config; }
	mkdir -p /run/lock /run/udev /var/lock 2>/dev/null
	ln -sf /proc/self/fd /dev/fd
	ln -sf /proc/self/fd/0 /dev/stdin
	ln -sf /proc/self/fd/1 /dev/stdout
	ln -sf /proc/self/fd/2 /dev/stderr
}

# A kernel built for the lab has its modules, if any, in a place of its own.
setup_modules() {
	local release moddir

	release=$(uname -r)
	moddir=${LAB_KERNEL_MODDIR[$release]:-}
	if [ -n "$moddir" ] && [ ! -e "/lib/modules/$release" ]; then
		ln -s "$moddir" "/lib/modules/$release"
	fi
}

setup_system() {
	setup_mounts
	setup_modules
	ip link set lo up
	echo "$1" >/proc/sys/kernel/hostname
	# The lab reports kernel trouble itself; here warnings need only reach
	# the console, which is what is read when the kernel dies.
	echo 5 >/proc/sys/kernel/printk
	ulimit -c 0
}
