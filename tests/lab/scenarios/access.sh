# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Who may do what: the control device and the sockets are closed to others, a VM
# is seen by its own daemon alone, and that serves with less than root's powers,
# even when it begins with no more than its service gives it.

TIMEOUT=360

# Capabilities as in /proc/PID/status.
SEARCH=0000000000080002	# CAP_SYS_PTRACE, CAP_DAC_OVERRIDE
SERVE=0000000000000002	# CAP_DAC_OVERRIDE

NOBODY=65534

guest_io() {
	pvbus_guest_load pvblk || return
	guest_reads root
}

# guest_reads ID
guest_reads() {
	local disk

	disk=$(pvblk_disk "$1") && dd "if=$disk" of=/dev/null bs=64k count=16 iflag=direct
}

guest_again() {
	lab_rmmod pvblk pvbus && guest_io
}

# The capabilities that the service has, as setpriv wants them.
service_caps() {
	sed -n 's/^CapabilityBoundingSet=//p' "$REPO/userspace/pvbusd@.service" |
		tr 'A-Z ' 'a-z\n' | sed 's/^cap_/,+/' | tr -d '\n'
}

# In place of the program: with the service's capabilities, and with a root that
# cannot be written, which is more than its service asks for.
pvbusd() {
	# shellcheck disable=SC2016 # another shell's
	exec unshare --mount --propagation private \
		sh -c 'mount -o remount,bind,ro / && exec "$@"' sh \
		setpriv --no-new-privs --inh-caps=-all \
		--bounding-set="-all$(service_caps)" "$_PVBUS_BIN/pvbusd" "$@"
}

as_nobody() {
	setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups -- "$@"
}

# KEY: a line of the daemon's status
status_of() {
	sed -n "s/^$1:\t//p" "/proc/$(pvbusd_pid vm1)/status"
}

# CAPS: the daemon comes to have just these
comes_to() {
	local i

	for ((i = 0; i < 50; i++)); do
		[ "$(status_of CapEff)" != "$1" ] || break
		sleep 0.1
	done
	check_equal "its capabilities" "$1 $1" "$(status_of CapPrm) $(status_of CapEff)"
	check_equal "it can get no others" 1 "$(status_of NoNewPrivs)"
	check_equal "its system calls are filtered" 2 "$(status_of Seccomp)"
}

opens_control_device() {
	"$@" sh -c 'exec 3<>/dev/pvbus'
}

control_device() {
	check_equal "the control device is root's" "600 0:0" "$(stat -c '%a %u:%g' /dev/pvbus)"
	check "root opens it" opens_control_device env
	check_fails "others do not" opens_control_device as_nobody
	chmod 666 /dev/pvbus
	check_fails "not even if its mode lets them" opens_control_device as_nobody
	check_fails "nor root without CAP_SYS_ADMIN" opens_control_device \
		setpriv --inh-caps=-all --bounding-set=-sys_admin
	chmod 600 /dev/pvbus
}

# REQUEST [NAME]: an ioctl of somebody else who has the device open, which has to
# fail; how, in words
stranger() {
	perl -MErrno -e '
		my ($request, $name) = @ARGV;
		my $arg = pack("LLa*x4096", 1, 0, $name // "");
		open(my $dev, "+<", "/dev/pvbus") or die;
		print(ioctl($dev, hex($request), $arg) ? "done" :
			(grep { $!{$_} } keys(%!))[0]);' "$@"
}

# What the device lets somebody do who is root, and not the daemon of vm1.
strangers() {
	local request adopt=c028b601

	# VM_ATTACH, VM_INFO, VM_SET_MEM, DEV_ADD, DEV_REMOVE, DEV_NEXT, CHAN_STATS,
	# VM_DESTROY
	for request in 4010b602 8110b603 40c8b604 c098b610 4028b611 \
		c098b612 c0b8b613 b605; do
		check_equal "call $request without a VM" ENXIO "$(stranger $request)"
	done
	check_equal "a VM with a daemon cannot be taken over" EBUSY "$(stranger $adopt vm1)"
	check_equal "nor one that is not there" ENOENT "$(stranger $adopt vm9)"
}

sockets() {
	check_equal "QEMU's socket is root's" "600 0:0" \
		"$(stat -c '%a %u:%g' "$(pvbusd_socket vm1)")"
	check_equal "so is the control socket" "600 0:0" \
		"$(stat -c '%a %u:%g' /run/pvbus/vm1.ctl)"
	check_equal "and its directory" "700 0:0" "$(stat -c '%a %u:%g' /run/pvbus)"
	check_fails "others cannot connect as QEMU" as_nobody \
		socat -u /dev/null "UNIX-CONNECT:$(pvbusd_socket vm1)"
	check_fails "nor use pvbusctl" as_nobody "$_PVBUS_BIN/pvbusctl" show vm1
	check "the daemon still waits for QEMU" pvbusd_alive vm1
}

socket_group() {
	check "a daemon with a group for its socket" pvbusd_start vm2 \
		--socket-group $NOBODY --disk id=other,path=/dev/other || return
	check_equal "the socket is the group's" "660 0:$NOBODY" \
		"$(stat -c '%a %u:%g' "$(pvbusd_socket vm2)")"
	check_equal "the control socket is not" "600 0:0" \
		"$(stat -c '%a %u:%g' /run/pvbus/vm2.ctl)"
}

# A file system whose server never answers: DIR. It ends with process HUNG.
hung_mount() {
	local i

	modprobe fuse
	mkdir -p "$1"
	(exec 3<>/dev/fuse && mount -i -t fuse hung "$1" \
		-o fd=3,rootmode=40000,user_id=0,group_id=0 && exec sleep 1000) &
	HUNG=$!
	for ((i = 0; i < 50; i++)); do
		! grep -q " $1 fuse " /proc/mounts || return 0
		sleep 0.1
	done
	return 1
}

# What a disk's path leads to does not answer: all else goes on.
hung() {
	local pid

	pvbusctl add-disk vm1 id=hung,path=/run/hung/disk >/run/out 2>&1 &
	pid=$!
	sleep 2
	check "pvbusctl is answered while a disk does not answer" pvbusctl show vm1
	check "and a card is added" pvbusctl add-net vm1 id=lan,ifname=lan0
	check_fails "who asked for the disk has no answer" wait "$pid"
	check "and says so" grep "does not answer" /run/out
}

# vm1 has a guest, vm2 does not.
other_vm() {
	check_equal "a daemon tells of its own VM alone" '["other"]' \
		"$(pvbusctl show vm2 --json | jq -c '[.devices[].id]')"
	check_fails "and removes nothing from another" pvbusctl remove vm2 root
	check_equal "which has what it had" '["root"]' \
		"$(pvbusctl show vm1 --json | jq -c '[.devices[].id]')"
	check "the other daemon ends" pvbusd_stop vm2
}

same_cgroup() {
	local pid

	for pid in $(worker_pids vm1); do
		diff "/proc/$(guest_pid vm1)/cgroup" "/proc/$pid/cgroup" || return
	done
}

# How often the daemon has written to a file; answers to pvbusctl are none.
writes() {
	sed -n 's/^syscw: //p' "/proc/$(pvbusd_pid vm1)/io"
}

# Workers that are in QEMU's cgroup are not moved there at each look.
idle_looks() {
	local before i

	before=$(writes)
	for ((i = 0; i < 3; i++)); do
		pvbusctl stats vm1 >/run/out || return
	done
	check_equal "to look at workers moves none" "$before" "$(writes)"
}

# With what is left, everything that comes later works.
later() {
	check "a file of another user is added" pvbusctl add-disk vm1 id=image,path=/run/fs/image
	check "the guest reads it" guest vm1 guest_reads image
	check "a card is added" pvbusctl add-net vm1 id=lan,ifname=lan0
	check "and removed" pvbusctl remove vm1 lan
	check "and so is the disk" pvbusctl remove vm1 image
	check "the guest's drivers are reloaded" guest vm1 guest_again
	check "the new workers are in QEMU's cgroup" same_cgroup
	idle_looks
	check "pvbusd is killed" pvbusd_kill vm1
	check "and starts again" pvbusd_start vm1 --disk id=root,path=/dev/backing
	comes_to $SERVE
	check "the guest reboots" guest_reboot vm1
	check "and does I/O" guest vm1 guest_io
	check "pvbusctl is answered" pvbusctl stats vm1
	hung
	check_fails "no call of a daemon was refused" sh -c 'dmesg | grep "type=1326.*pvbusd"'
}

host() {
	null_disk backing 64
	null_disk other 32
	null_disk fs 64
	mkfs.ext4 -q /dev/fs && mkdir -p /run/fs && mount /dev/fs /run/fs
	truncate -s 16M /run/fs/image
	chmod 600 /run/fs/image && chown $NOBODY:$NOBODY /run/fs/image
	check "the host module loads" pvbus_host_load || return
	control_device
	# before pvbusd has mounts of its own
	check "a file system without answers" hung_mount /run/hung || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	comes_to $SEARCH
	sockets
	strangers
	socket_group
	check "a guest boots" pvbus_guest vm1 || return
	check "its RAM is found, and it does I/O" guest vm1 guest_io || return
	comes_to $SERVE
	other_vm
	later
	check "the guest stops" guest_stop vm1
	check "pvbusd ends with it" pvbusd_wait vm1
	check_equal "and leaves no socket" "" "$(ls "$(pvbusd_socket vm1)" /run/pvbus/vm1.ctl 2>/dev/null)"
	check "the host module unloads" lab_rmmod pvbus_host
	umount /run/fs
	kill "$HUNG" && wait "$HUNG"
	umount /run/hung
}
