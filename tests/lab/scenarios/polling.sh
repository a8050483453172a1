# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a device has of its own for polling and patience is in force for it alone,
# and what it has not follows the module's parameters while it is open. Workers leave
# their CPU to whoever wants it, but do not starve.

TIMEOUT=240

PARAMETERS=/sys/module/pvbus_host/parameters
# CPUs of the host VM
FIRST=${LAB_FIRST_CPU:-0} SECOND=$((FIRST + 1))

guest_setup() {
	local id

	pvbus_guest_load pvblk || return
	# as patient as can be: what interrupts is up to the host
	echo 1000 >/sys/module/pvbus/parameters/idle_poll_us || return
	for id in plain never always hasty; do
		pvblk_disk $id || return
	done
}

# guest_read ID: so many requests, one at a time.
guest_read() {
	local disk

	disk=$(pvblk_disk "$1") || return
	dd if="$disk" of=/dev/null bs=4k count=3000 iflag=direct
}

# grew ID KEY: by how much, while the guest reads that disk.
grew() {
	local before requests

	before=$(worker_sum vm1 "$1" "$2")
	requests=$(worker_sum vm1 "$1" completions)
	guest vm1 guest_read "$1" >&2 || return
	[ $(($(worker_sum vm1 "$1" completions) - requests)) -ge 3000 ] || return
	echo $(($(worker_sum vm1 "$1" "$2") - before))
}

# guest_read_on ID: one request at a time, until /run/enough is there.
guest_read_on() {
	local disk

	disk=$(pvblk_disk "$1") || return
	until [ -e /run/enough ]; do
		dd if="$disk" of=/dev/null bs=4k iflag=direct || return
	done
}

loop_load() {
	lab_insmod pvbus && lab_insmod pvbus_loop
}

# The module believes no daemon: what is out of range, or given without the flag
# that says so, is EINVAL (22), and what is not comes back as it was given.
module_checks() {
	python3 - <<-'END'
	import fcntl, os, struct

	def ioctl(fd, nr, args):
	    try:
	        return fcntl.ioctl(fd, 3 << 30 | len(args) << 16 | 0xB600 | nr, args)
	    except OSError as e:
	        return e.errno

	def device(flags, poll, coalesce):
	    return struct.pack("<HHI32sIiII32s16s6sHQII24s", 2, 1, flags, b"n", 0, -1,
	                       0, 0, b"", b"", b"", 0, 0, poll, coalesce, b"")

	fd = os.open("/dev/pvbus", os.O_RDWR)
	vm = struct.pack("<II32sQQQIIQ16s", 1, 1, b"raw", 0, 0, 0, 2, 0, 0, b"")
	made = ioctl(fd, 0, vm)
	assert isinstance(made, bytes), made
	for bad in (2, 1001, 0), (4, 0, 1001), (0, 1, 0), (0, 0, 1), (2, 0, 1), (8, 0, 0):
	    assert ioctl(fd, 0x10, device(*bad)) == 22, bad
	assert isinstance(ioctl(fd, 0x10, device(6, 1000, 0)), bytes)
	got = ioctl(fd, 0x12, device(0, 0, 0))
	assert struct.unpack_from("<I", got, 4) == (6,), got
	assert struct.unpack_from("<II", got, 120) == (1000, 0), got
	fcntl.ioctl(fd, 0xB605)
	END
}

own() {
	pvbusctl show vm1 --json | jq -c "[.devices[] | [.id, .poll_us, .coalesce_us]]"
}

settings() {
	check_equal "the daemon's are shown" \
		'[["plain",null,null],["never",0,null],["always",200,1000]]' "$(own)"
	check "and those that are added" pvbusctl add-disk vm1 \
		id=hasty,path=/dev/hasty,poll-us=0,coalesce-us=0
	check_equal "likewise" '["hasty",0,0]' "$(own | jq -c '.[3]')"
	check "in the table too" grep -q 'size=32M poll-us=0 coalesce-us=0 path=/dev/hasty$' \
		<(pvbusctl show vm1)
	check "where what is not given is not" grep -q 'size=32M path=/dev/plain$' \
		<(pvbusctl show vm1)
	check_fails "out of range is refused" pvbusctl add-net vm1 id=n,poll-us=1001
}

polling() {
	check "a disk polls by the module's parameter" test "$(grew plain polls)" -gt 0
	check_equal "not one that is not to" 0 "$(grew never polls)"
	echo 0 >$PARAMETERS/poll_us
	check_equal "the parameter is followed" 0 "$(grew plain polls)"
	check "but not by one with its own" test "$(grew always polls)" -gt 0
	echo 200 >$PARAMETERS/poll_us
	check "and followed again" test "$(grew plain polls)" -gt 0
}

patience() {
	local always hasty hundredths=300

	# How many fewer depends on how many requests take longer than there is patience
	# for, as half of them do with a kernel that checks itself on a busy machine. What
	# has no patience saves none.
	[[ $(uname -r) != *-debug* ]] || hundredths=125
	always=$(grew always interrupts)
	hasty=$(grew hasty interrupts)
	diag "interrupts of 3000 requests: $always with patience, $hasty without"
	check "without patience there are many more interrupts" \
		test "$hasty" -gt $((always * hundredths / 100))
}

policies() {
	local pid cpu before job hogs=() least=300

	# a kernel that checks itself takes its time
	[[ $(uname -r) != *-debug* ]] || least=$((least / LAB_TIME_SCALE))
	pid=$(worker_pids vm1 plain)
	guest_bg vm1 guest_read_on plain || return
	job=$GUEST_JOB
	check "a worker leaves its CPU to whoever wants it" within 5 policy_is "$pid" 5
	for cpu in "$FIRST" "$SECOND"; do
		taskset -c "$cpu" bash -c 'while :; do :; done' &
		hogs+=($!)
	done
	check "not where it would starve" within 5 policy_is "$pid" 0
	before=$(worker_sum vm1 plain completions)
	sleep 3
	before=$(($(worker_sum vm1 plain completions) - before))
	diag "$before requests in 3 seconds beside a program on each CPU"
	check "where it goes on" test $before -gt $least
	kill "${hogs[@]}"
	wait "${hogs[@]}"
	check "and does so again when there is a CPU" within 15 policy_is "$pid" 5
	echo N >$PARAMETERS/idle_policy
	check "that can be turned off" within 5 policy_is "$pid" 0
	echo Y >$PARAMETERS/idle_policy
	check "and on" within 5 policy_is "$pid" 5
	chrt -b -p 0 "$pid"
	sleep 0.5
	check "what an administrator has chosen is left alone" policy_is "$pid" 3
	chrt -o -p 0 "$pid"
	check "until he gives it back" within 5 policy_is "$pid" 5
	guest vm1 touch /run/enough
	check "nothing has failed meanwhile" guest_wait vm1 "$job"
}

host() {
	local disk

	for disk in plain never always hasty; do
		null_disk $disk 32
	done
	check "the host module loads" pvbus_host_load || return
	check "so does loopback" loop_load || return
	check "it checks what it is given" module_checks
	check "and unloads" lab_rmmod pvbus_loop pvbus
	check "pvbusd starts" pvbusd_start vm1 --disk id=plain,path=/dev/plain \
		--disk id=never,path=/dev/never,poll-us=0 \
		--disk id=always,path=/dev/always,poll-us=200,coalesce-us=1000 || return
	settings
	check "a guest boots" pvbus_guest vm1 || return
	check "its drivers load" guest vm1 guest_setup || return
	polling
	patience
	policies
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "the host module unloads" lab_rmmod pvbus_host
}
