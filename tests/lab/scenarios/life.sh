# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Comings and goings: reboot, reset, driver reload, daemon and QEMU ending,
# modules unloaded.

TIMEOUT=420

guest_io() {
	pvbus_guest_load pvblk pvnet || return
	pvblk_disk root && pvnet_card lan || return
	dd if=/dev/pvda of=/dev/null bs=64k count=32 iflag=direct
}

guest_busy() {
	fio --name=b --filename=/dev/pvda --rw=randrw --bs=4k --iodepth=16 --direct=1 \
		--ioengine=libaio --time_based --runtime="${1:-30}"
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

	guest_busy 30 >/dev/null 2>&1 &
	sleep 1
	for dev in /sys/bus/pvbus/drivers/pvblk/*:*; do
		echo "${dev##*/}" >/sys/bus/pvbus/drivers/pvblk/unbind || return
	done
	wait $!
	lab_rmmod pvblk pvnet pvbus
}

unload_refused() {
	! rmmod pvbus_host 2>/run/err && grep -qi "in use" /run/err
}

reboots() {
	check "a guest does I/O" guest vm1 guest_io || return
	check "the host module cannot be unloaded" unload_refused
	check "it reboots" guest_reboot vm1
	check "and does I/O again" guest vm1 guest_io || return
	guest_bg vm1 guest_busy
	sleep 1
	check "it is reset under I/O" guest_monitor vm1 system_reset
	check "it comes back" guest_wait_up vm1
	check "and does I/O again" guest vm1 guest_io || return
	check "its drivers are reloaded five times" guest vm1 guest_reload
	check "the driver is unbound under I/O" guest vm1 guest_unbind_busy
	check "and does I/O again" guest vm1 guest_io
}

host() {
	null_disk backing 64
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing \
		--net id=lan,ifname=lan0 || return
	check "a guest boots" pvbus_guest vm1 || return
	ip link set lan0 up
	reboots
	guest_bg vm1 guest_busy
	sleep 1
	check "QEMU is killed under I/O" guest_kill vm1
	check "pvbusd ends by itself" pvbusd_wait vm1
	check_fails "the host's interface is gone" ip link show lan0

	check "pvbusd starts again" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	check "it does I/O" guest vm1 guest_io_disk
	guest_bg vm1 guest_busy 10
	sleep 1
	check "pvbusd is told to end under I/O" pvbusd_stop vm1
	check "the guest lives" guest vm1 true
	check "the host module unloads" lab_rmmod pvbus_host
	check "the guest stops" guest_stop vm1
}

guest_io_disk() {
	pvbus_guest_load pvblk || return
	pvblk_disk root && dd if=/dev/pvda of=/dev/null bs=64k count=32 iflag=direct
}
