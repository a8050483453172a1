# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Comings and goings: reboot, reset, panic, kexec, driver reload, a daemon that is
# replaced, daemon and QEMU ending, modules unloaded.

TIMEOUT=600

guest_io() {
	pvbus_guest_load pvblk pvnet || return
	pvblk_disk root && pvnet_card lan || return
	guest_reads
}

guest_reload() {
	local i

	for ((i = 0; i < 5; i++)); do
		lab_rmmod pvblk pvnet pvbus || return
		guest_io || return
	done
}

guest_unbind_busy() {
	local dev

	disk_load /dev/pvda 60 2>/dev/null &
	wait_io pvda || return
	for dev in /sys/bus/pvbus/drivers/pvblk/*:*; do
		echo "${dev##*/}" >/sys/bus/pvbus/drivers/pvblk/unbind || return
	done
	! wait $! && lab_rmmod pvblk pvnet pvbus
}

guest_reads() {
	dd if=/dev/pvda of=/dev/null bs=64k count=32 iflag=direct
}

unload_refused() {
	! rmmod pvbus_host 2>/run/err && grep -qi "in use" /run/err
}

# By who has its device open, and has made no VM.
unload_refused_open() {
	unload_refused 9<>/dev/pvbus
}

# busy [SECONDS]: I/O in the guest, which goes on as job BUSY.
busy() {
	guest_bg vm1 disk_load /dev/pvda "${1:-60}"
	BUSY=$GUEST_JOB
	check "the guest is busy" guest vm1 wait_io pvda
}

# daemon [ARGUMENTS...]
daemon() {
	pvbusd_start vm1 --disk id=root,path=/dev/backing --net id=lan,ifname=lan0 "$@"
}

# What pvbusd says is behind the disk of the guest.
root_path() {
	pvbusctl show vm1 --json | jq -c '.devices[] | select(.id == "root") | .path'
}

# The module serves a guest whose daemon is gone, until there is another.
takeover() {
	busy 12
	check "pvbusd is killed under I/O" pvbusd_kill vm1
	check "the host module is still in use" unload_refused
	check "the guest's I/O goes on" guest vm1 wait_io pvda
	# one that was removed from the VM, and from the host
	check "pvbusd starts again, with a disk that is gone" daemon \
		--disk id=gone,path=/dev/nosuch
	check "and says that it takes over" \
		grep -qx "adopted running VM vm1" <(pvbusd_log vm1)
	check "and warns of the disk" \
		grep -q "warning: disk 'gone': path '/dev/nosuch' does not exist" <(pvbusd_log vm1)
	check_equal "the VM has what it had" '["lan","root"]' \
		"$(pvbusctl show vm1 --json | jq -c '[.devices[].id] | sort')"
	check "the guest's I/O goes on" guest vm1 wait_io pvda
	check "without an error" guest_wait vm1 "$BUSY"
	check_equal "and its disk has a path" '"/dev/backing"' "$(root_path)"
}

# What pvbusd lacks is no reason to end a guest.
gives_up() {
	check "pvbusd may have no more files open" \
		prlimit --pid "$(pvbusd_pid vm1)" --nofile=4
	check_fails "it cannot go on" pvbusctl show vm1
	check "and ends" pvbusd_wait vm1
	check "saying why" grep -q "cannot wait for events" <(pvbusd_log vm1)
	check "the guest does I/O" guest vm1 guest_reads
}

# The configuration has changed while nobody looked.
other_path() {
	check "pvbusd starts again, with another path of the disk" pvbusd_start vm1 \
		--disk id=root,path=/dev/other
	check "it warns that this is not the disk" \
		grep -q "warning: disk 'root': path '/dev/other' is not" <(pvbusd_log vm1)
	check_equal "and shows none" null "$(root_path)"
	check "the guest does I/O" guest vm1 guest_reads
}

# A kernel that follows another without a reset: the device is as that has left it. One
# that crashed has told the host nothing.
restarts() {
	busy
	check "it panics under I/O, and comes back" guest_panic vm1
	check "and does I/O again" guest vm1 guest_io || return
	check "it loads its kernel once more" guest_kexec_load vm1 -l
	busy
	check "it boots that under I/O" guest_kexec vm1
	check "and does I/O again" guest vm1 guest_io || return
	check "it loads one for a crash" guest_kexec_load vm1 -p
	busy
	check "it panics under I/O, and boots that" guest_panic vm1
	check "which is another kernel" guest vm1 test -e /proc/vmcore
	check "that does I/O" guest vm1 guest_io || return
	check "it reboots" guest_reboot vm1
	check "and does I/O again" guest vm1 guest_io
}

reboots() {
	check "a guest does I/O" guest vm1 guest_io || return
	check "the host module cannot be unloaded" unload_refused
	check "it reboots" guest_reboot vm1
	check "and does I/O again" guest vm1 guest_io || return
	busy
	check "it is reset under I/O" guest_monitor vm1 system_reset
	check "it comes back" guest_wait_up vm1
	check "and does I/O again" guest vm1 guest_io || return
	restarts || return
	check "its drivers are reloaded five times" guest vm1 guest_reload
	check "the driver is unbound under I/O" guest vm1 guest_unbind_busy
	check "and does I/O again" guest vm1 guest_io
}

host() {
	null_disk backing 64
	null_disk other 64
	check "the host module loads" pvbus_host_load || return
	check "it is in use while its device is open" unload_refused_open
	check "pvbusd starts" daemon || return
	check "a guest boots" pvbus_guest vm1 --append crashkernel=256M || return
	ip link set lan0 up
	reboots
	takeover
	gives_up
	other_path
	busy
	check "QEMU is killed under I/O" guest_kill vm1
	check "pvbusd ends by itself" pvbusd_wait vm1
	check_fails "the host's interface is gone" ip link show lan0

	check "pvbusd starts again" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	check "it does I/O" guest vm1 guest_io_disk
	busy
	check "pvbusd is told to end under I/O" pvbusd_stop vm1
	check "the guest lives" guest vm1 true
	check "the host module unloads" lab_rmmod pvbus_host
	check "the guest stops" guest_stop vm1
}

guest_io_disk() {
	pvbus_guest_load pvblk || return
	pvblk_disk root && guest_reads
}
