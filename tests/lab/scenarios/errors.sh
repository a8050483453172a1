# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Mistakes of an administrator: each gets one line that names the value and
# the remedy, a non-zero exit status, and changes nothing.

TIMEOUT=300

# refused DESCRIPTION WORDS PVBUSD-ARGUMENTS...: pvbusd says one line on
# standard error that has all of WORDS (separated by |), and ends with a
# failure, leaving no socket and no interface behind.
refused() {
	local desc=$1 words=$2 status

	shift 2
	timeout 20 pvbusd "$@" >/run/out 2>/run/err </dev/null
	status=$?
	check "$desc: refused" test $status -gt 0 -a $status -lt 124 || return
	check_equal "$desc: one line" 1 "$(wc -l </run/err)"
	said "$desc" "$words"
	check "$desc: nothing is left" nothing_left
}

said() {
	local word rest=$2

	while [ -n "$rest" ]; do
		word=${rest%%|*}
		rest=${rest#"$word"}
		rest=${rest#|}
		grep -qiF -- "$word" /run/err || {
			test_fail "$1: the line names '$word'"
			diag </run/err
			return 1
		}
	done
	test_ok "$1: the line names the value and the remedy"
}

nothing_left() {
	[ ! -e /run/e.sock ] && ! ip link show wrong0 2>/dev/null &&
		[ "$(pvbusctl list --json | jq length)" = "${EXPECTED_VMS:-0}" ]
}

daemon() {
	refused "$1" "$2" --name e --socket /run/e.sock "${@:3}"
}

without_module() {
	daemon "module not loaded" "pvbus_host|modprobe" --disk id=a,path=/dev/good
}

arguments() {
	refused "no name" "--name" --socket /run/e.sock
	refused "no socket" "--socket" --name e
	refused "bad name" "a/b" --name a/b --socket /run/e.sock
	refused "unknown option" "--frobnicate" --frobnicate
	daemon "disk path missing" "/dev/nosuch|path" --disk id=a,path=/dev/nosuch
	daemon "disk path is a directory" "/run|directory" --disk id=a,path=/run
	daemon "disk is not a disk" "/dev/null" --disk id=a,path=/dev/null
	daemon "disk size" "/run/fs/odd|512" --disk id=a,path=/run/fs/odd
	daemon "disk without path" "path=" --disk id=a
	daemon "unknown key" "colour" --disk id=a,path=/dev/good,colour=red
	daemon "time to poll too long" "poll-us|'1001'|from 0 to 1000" \
		--disk id=a,path=/dev/good,poll-us=1001
	daemon "patience that is no number" "coalesce-us|'-1'|from 0 to 1000" \
		--net id=n,coalesce-us=-1
	daemon "duplicate ids" "'a'|its own" --disk id=a,path=/dev/good --net id=a
	daemon "malformed MAC" "52:54:00:12:34|mac" --net id=n,mac=52:54:00:12:34
	daemon "multicast MAC" "01:00:5e:00:00:01" --net id=n,mac=01:00:5e:00:00:01
	daemon "MTU too small" "mtu|42" --net id=n,mtu=42
	daemon "interface name in use" "wrong1|in use" --net id=n,ifname=wrong1
	daemon "group of the socket" "--socket-group|'nosuch'|QEMU" --socket-group nosuch
	daemon "vectors" "--vectors|1000" --vectors 1000
}

in_use() {
	check "a daemon runs" pvbusd_start vm1 --disk id=root,path=/dev/good \
		--disk id=file,path=/run/fs/file || return
	EXPECTED_VMS=1
	daemon "disk in use by another pvbusd" "/dev/good|in use" --disk id=a,path=/dev/good
	daemon "file in use by another pvbusd" "/run/fs/file|in use" --disk id=a,path=/run/fs/file
	refused "socket path in use" "$(pvbusd_socket vm1)|in use" \
		--name e --socket "$(pvbusd_socket vm1)"
	refused "VM name in use" "vm1" --name vm1 --socket /run/e.sock
	check "the first daemon still runs" pvbusd_alive vm1
	check "and ends" pvbusd_stop vm1
	EXPECTED_VMS=0
}

# As a user who may not: the devices are root's alone.
nobody() {
	timeout 20 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$(command -v pvbusd)" --name e --socket /tmp/e.sock >/run/out 2>/run/err
	check "no permission on the control device: refused" test $? -gt 0
	check_equal "no permission: one line" 1 "$(wc -l </run/err)"
	said "no permission" "/dev/pvbus|root"
}

vectors() {
	check "a daemon that asks for 8 vectors" pvbusd_start vm1 --vectors 8 \
		--disk id=root,path=/dev/good || return
	VECTORS=1
	# QEMU ends when its server goes before it has said all.
	pvbus_guest vm1 --no-wait
	check "QEMU without enough vectors: the daemon ends" pvbusd_wait vm1
	cp /run/pvbus-lab/vm1.err /run/err
	check_equal "vectors: one line" 1 "$(wc -l </run/err)"
	said "vectors" "1|8|vectors=8"
	guest_kill vm1
	check "the disk is free again" pvbusd_start vm1 --disk id=root,path=/dev/good
	check "and the daemon ends" pvbusd_stop vm1
	VECTORS=8
}

# refused_ram WHAT WORDS OPTION...: a guest with the options, whose RAM cannot be proven.
refused_ram() {
	local what=$1 words=$2

	shift 2
	check "a daemon" pvbusd_start vm1 --disk id=root,path=/dev/good || return
	check "a guest with $what" pvbus_guest vm1 "$@" || return
	guest vm1 lab_insmod pvbus
	check "guest RAM that cannot be proven: the daemon ends" pvbusd_wait vm1
	cp /run/pvbus-lab/vm1.err /run/err
	check_equal "RAM: one line" 1 "$(wc -l </run/err)"
	said "RAM" "$words"
	check "the guest lives" guest vm1 true
	check "its kernel has a line that says why" guest vm1 \
		sh -c 'dmesg | grep "could not prove guest memory"'
	check "and stops" guest_stop vm1
}

ram() {
	local size nodes=()

	# one more than there are nonces to prove them with
	for size in 256M 192M 192M 192M 192M; do
		nodes+=(-object "memory-backend-ram,id=m${#nodes[@]},size=$size"
			-numa "node,memdev=m${#nodes[@]}")
	done
	refused_ram "five memory blocks" "more than 4|NUMA nodes|start it with fewer" \
		"${nodes[@]}"
	refused_ram "a DIMM" "it claims|started with 1024 MiB|without DIMMs" \
		--mem 1G,slots=1,maxmem=2G --append memhp_default_state=online \
		-object memory-backend-ram,id=dimm,size=128M -device pc-dimm,memdev=dimm
}

host() {
	null_disk good 32
	null_disk fs 64
	mkfs.ext4 -q /dev/fs && mkdir -p /run/fs && mount /dev/fs /run/fs
	truncate -s 16M /run/fs/file
	truncate -s 1000 /run/fs/odd
	ip link add wrong1 type dummy
	without_module
	check "the host module loads" pvbus_host_load || return
	arguments
	in_use
	nobody
	vectors
	ram
	check "the host module unloads" lab_rmmod pvbus_host
	umount /run/fs
	ip link del wrong1
}
