# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The comparison, as a scenario of the lab: one guest that has a disk and a
# network card of every contender, measured in turns, so that what the machine
# does meanwhile hits all alike. What is written: one directory for each run,
# with the tool's own output and the counters around it; report.py reads them.
#
#	RESULTS/disk/CONTENDER/TEST/ROUND/{fio.json,counters}
#	RESULTS/net/CONTENDER/TEST/ROUND/{iperf.json|sockperf.txt,counters}

TIMEOUT=1200
GUEST_TIMEOUT=30

ROUNDS=${ROUNDS:-3}
# No round is begun that would not end within so many seconds, but the first.
BUDGET=${BUDGET:-450}
# Seconds of load in one run, and of it those that are counted.
RUN_SECONDS=${RUN_SECONDS:-2}
COUNT_SECONDS=${COUNT_SECONDS:-1}

DISK_CONTENDERS="pvblk virtio-blk ide guest-null host-native"
DISK_TESTS="randread-4k-qd1 randread-4k-qd32 randwrite-4k-qd32 read-1m-qd4 write-1m-qd4"
NET_CONTENDERS="pvnet virtio-net e1000"
NET_TESTS="tcp-tx tcp-rx tcp-rr udp-64"

DISK_MB=256

# --- in the guest ---

# Where the peers' devices turn up: "name node" lines in /run/bench.
guest_setup() {
	local card

	mkdir -p /run/bench
	modprobe -a virtio_blk virtio_net e1000 ata_piix sd_mod || return
	pvbus_guest_load pvblk pvnet || return
	null_disk gnull $DISK_MB || return
	{
		echo "pvblk $(pvblk_disk disk)"
		echo "virtio-blk /dev/vda"
		echo "ide /dev/sda"
		echo "guest-null /dev/gnull"
	} >/run/bench/disks
	wait_for /dev/vda && wait_for /dev/sda || return
	# The guest's own null_blk has no pages before it was written.
	dd if=/dev/zero of=/dev/gnull bs=1M oflag=direct status=none
	guest_card "$(pvnet_card lan)" 1 || return
	for card in /sys/class/net/*; do
		case $(readlink "$card/device/driver") in
		*/virtio_net) guest_card "${card##*/}" 2 ;;
		*/e1000) guest_card "${card##*/}" 3 ;;
		esac
	done
	head /run/bench/disks
	ip -br addr
}

guest_card() {
	ip link set "$1" up && ip addr add "198.18.$2.2/24" dev "$1"
}

# TEST as fio's options.
fio_options() {
	local rw=${1%%-*} bs=${1#*-} depth=${1##*-qd}

	bs=${bs%%-*}
	echo "--rw=$rw --bs=$bs --iodepth=$depth"
}

# run_fio DISK TEST OUTPUT
run_fio() {
	# shellcheck disable=SC2046 # words
	fio --name=run --filename="$1" --direct=1 --ioengine=libaio --thread \
		--norandommap --time_based --runtime="$RUN_SECONDS" \
		$(fio_options "$2") --output-format=json --output="$3"
}

guest_fio() {
	local name disk

	while read -r name disk; do
		[ "$name" = "$1" ] && break
	done </run/bench/disks
	run_fio "$disk" "$2" /lab/out
}

# guest_net TEST NETWORK
guest_net() {
	local host=198.18.$2.1

	case $1 in
	tcp-tx) iperf3 -J -c "$host" -t "$RUN_SECONDS" ;;
	tcp-rx) iperf3 -J -c "$host" -t "$RUN_SECONDS" -R ;;
	tcp-rr)
		sockperf ping-pong --tcp -i "$host" -m 64 -t "$RUN_SECONDS" \
			--full-rtt
		;;
	udp-64) sockperf throughput -i "$host" -m 64 -t "$RUN_SECONDS" ;;
	esac >/lab/out 2>&1
}

# --- in the host VM ---

# One line of all counters: time, KVM's, CPU, the backing disk's sectors, the
# packets and bytes of the host's ends of the cards.
counters() {
	local now cpu line sectors card value

	line=$(exits_snapshot bench)
	now=$EPOCHREALTIME
	read -r cpu </proc/stat
	read -r -a sectors </sys/block/backing/stat
	line+=" now=$now cpu=${cpu// /,} sectors=$((sectors[2] + sectors[6]))"
	for card in pv0 vn0 en0; do
		for value in rx_packets tx_packets rx_bytes tx_bytes; do
			line+=" $card.$value=$(<"/sys/class/net/$card/statistics/$value")"
		done
	done
	echo "$line"
}

# What the loads move, seen from here: sectors of the backing disk and packets
# of the cards. The guest's own null_blk is not among it.
activity() {
	local sectors total card

	read -r -a sectors </sys/block/backing/stat
	total=$((sectors[2] + sectors[6]))
	for card in pv0 vn0 en0; do
		total=$((total + $(</sys/class/net/$card/statistics/rx_packets)))
	done
	echo $total
}

# $1 = file
count() {
	counters >"$1"
	sleep "$COUNT_SECONDS"
	counters >>"$1"
}

# Counts in the middle of a load that has been started: the tool may take
# longer to load than it runs, so what is waited for is the load itself.
# $1 = file
count_load() {
	local before i

	before=$(activity)
	for ((i = 0; i < 50; i++)); do
		[ $(($(activity) - before)) -lt 64 ] || break
		sleep 0.1
	done
	sleep 0.3
	count "$1"
}

# one_run KIND CONTENDER TEST ROUND OUTPUT COMMAND...: COMMAND runs in the
# guest, which writes /lab/out.
one_run() {
	local contender=$2 dir=$LAB_OUT/results/$1/$2/$3/$4 output=$5 status

	shift 5
	mkdir -p "$dir"
	rm -f "$(guest_share bench)/out"
	guest_bg bench "$@" || return
	if [ "$contender" = guest-null ]; then
		sleep 1
		count "$dir/counters"
	else
		count_load "$dir/counters"
	fi
	guest_wait bench "$GUEST_JOB" >"$dir/log" 2>&1
	status=$?
	[ $status = 0 ] || echo "exit status $status" >>"$dir/log"
	[ ! -e "$(guest_share bench)/out" ] || mv "$(guest_share bench)/out" "$dir/$output"
	return $status
}

native_run() {
	local dir=$LAB_OUT/results/disk/host-native/$1/$2

	mkdir -p "$dir"
	run_fio /dev/backing "$1" "$dir/fio.json" >"$dir/log" 2>&1 &
	count_load "$dir/counters"
	wait $!
}

disk_round() {
	local test contender

	for test in $DISK_TESTS; do
		for contender in $DISK_CONTENDERS; do
			progress "$1" "$test" "$contender"
			if [ "$contender" = host-native ]; then
				native_run "$test" "$1"
			else
				one_run disk "$contender" "$test" "$1" fio.json \
					guest_fio "$contender" "$test"
			fi
		done
	done
}

net_round() {
	local test contender network output

	for test in $NET_TESTS; do
		network=0
		for contender in $NET_CONTENDERS; do
			network=$((network + 1))
			progress "$1" "$test" "$contender"
			case $test in
			tcp-[tr]x) output=iperf.json ;;
			*) output=sockperf.txt ;;
			esac
			one_run net "$contender" "$test" "$1" $output \
				guest_net "$test" $network
		done
	done
}

progress() {
	diag "round $1 of $ROUNDS: $2 $3"
}

# The ends of the cards in the host.
host_net() {
	local card network=0

	modprobe -a tun vhost_net
	for card in vn0 en0; do
		ip tuntap add "$card" mode tap || return
	done
	for card in pv0 vn0 en0; do
		network=$((network + 1))
		ip addr add "198.18.$network.1/24" dev "$card"
		ip link set "$card" up || return
	done
	iperf3 -s -D
	sockperf server --tcp -i 0.0.0.0 >/dev/null 2>&1 &
	sockperf server -i 0.0.0.0 >/dev/null 2>&1 &
}

host_setup() {
	null_disk backing $DISK_MB || return
	dd if=/dev/zero of=/dev/backing bs=1M oflag=direct status=none
	pvbus_host_load || return
	pvbusd_start bench --disk id=disk,path=/dev/backing \
		--net id=lan,ifname=pv0 || return
	host_net
}

drive() {
	echo "-drive if=none,id=$1,file=/dev/backing,format=raw,cache=none,aio=native,file.locking=off"
}

tap() {
	echo "-netdev tap,id=$1,ifname=$1,script=no,downscript=no${2-}"
}

start_guest() {
	# shellcheck disable=SC2046 # words
	pvbus_guest bench --smp "${GUEST_CPUS:-1}" \
		-object iothread,id=io0 \
		$(drive vd) -device virtio-blk-pci,drive=vd,iothread=io0,share-rw=on \
		$(drive id) -device ide-hd,drive=id,bus=ide.0,share-rw=on \
		$(tap vn0 ,vhost=on) -device virtio-net-pci,netdev=vn0 \
		$(tap en0) -device e1000,netdev=en0
}

environment() {
	{
		echo "host_kernel=$(uname -r)"
		echo "guest_kernel=$(guest bench uname -r)"
		echo "guest_cpus=${GUEST_CPUS:-1}"
		echo "host_cpus=$(nproc)"
		# "qemu" is emulated, "kvm" is not
		echo "host_vm=$(systemd-detect-virt --vm)"
		echo "qemu=$(qemu-system-x86_64 --version | head -n 1)"
		echo "fio=$(fio --version)"
		echo "iperf3=$(iperf3 --version | head -n 1)"
		echo "run_seconds=$RUN_SECONDS"
		echo "backing=null_blk, memory-backed, $DISK_MB MiB"
	} >"$LAB_OUT/results/environment"
}

host() {
	local round start=$SECONDS

	mkdir -p "$LAB_OUT/results"
	check "the host is set up" host_setup || return
	check "the guest boots" start_guest || return
	GUEST_TIMEOUT=150 check "the guest is set up" guest bench guest_setup || return
	environment
	for ((round = 1; round <= ROUNDS; round++)); do
		disk_round $round
		net_round $round
		# what the rounds so far took, and one more like them
		[ $(((SECONDS - start) * (round + 1) / round)) -le "$BUDGET" ] || break
	done
	echo "rounds=$((round < ROUNDS ? round : ROUNDS))" >>"$LAB_OUT/results/environment"
	check "the guest stops" guest_stop bench
}
