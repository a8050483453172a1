# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The comparison, as a scenario of the lab: guests that have a disk and a
# network card of every contender and setting, measured in turns, so that what
# the machine does meanwhile hits all alike. What is run is a plan (plan.py), in
# the directory PLAN. What is written, and read by results.py:
#
#	RESULTS/samples			counters, all the time (sampler.py)
#	RESULTS/ROUND/BATCH/marks	what ran when
#	RESULTS/ROUND/BATCH/...		the tools' own output
#	RESULTS/progress		where to go on, unless all was run (parts.sh)
#
# The disks of a batch are jobs of one fio, one after the other: starting it
# takes longer than a job does.

TIMEOUT=7200
GUEST_TIMEOUT=30

# No round is begun that would not end within so many seconds, but the first; of
# that one no batch.
BUDGET=${BUDGET:-450}
# Of them, what the end takes.
END_SECONDS=10
# No batch is begun after so many seconds: the rest is for another part.
PART_SECONDS=${PART_SECONDS:-7200}
# How often a batch is begun that loses its guest.
TRIES_MAX=2

DISK_MB=256

# Set by the plan: RUN_SECONDS, ROUNDS, IDLE_SECONDS, OMIT_SECONDS, STREAM_SECONDS,
# POLL_QUEUES.
# shellcheck source=/dev/null
. "${PLAN:?is the directory that plan.py has made}/settings"

# Disks: "name node" lines.
DISKS=/run/bench/disks

# --- in both ---

# IPv6 looks for routers now and then; a VM that is idle has no packets.
quiet_cards() {
	sysctl -q net.ipv6.conf.default.disable_ipv6=1
}

# disk_node NAME
disk_node() {
	local name node

	while read -r name node; do
		[ "$name" = "$1" ] && echo "$node" && return
	done <$DISKS
	return 1
}

# can_poll NODE
can_poll() {
	local value

	read -r value <"/sys/block/${1##*/}/queue/io_poll" && [ "$value" = 1 ]
}

# fio_jobs: fio's job file, of the lines of a batch. What cannot be run goes to the
# file "skipped". Files that the job's commands leave tell when it began and ended.
fio_jobs() {
	local name options node

	cat <<-END
		[global]
		direct=1
		thread=1
		ioengine=libaio
		norandommap=1
		time_based=1
		runtime=$RUN_SECONDS
		disk_util=0
		exec_prerun=:
		exec_postrun=:
	END
	while read -r name options; do
		if ! node=$(disk_node "$name"); then
			echo "$name there is no such disk in the guest" >>skipped
		elif [[ $options == *hipri=1* ]] && ! can_poll "$node"; then
			echo "$name the disk has no queue that polls" >>skipped
		else
			printf '[%s]\nstonewall\nfilename=%s\n' "$name" "$node"
			tr ' ' '\n' <<<"$options"
		fi
	done
}

# run_fio DIR BATCH ORDER: ORDER is cat or tac.
run_fio() {
	rm -rf "$1"
	mkdir -p "$1" && cd "$1" || return
	$3 "$PLAN/$2" | fio_jobs >/run/bench/jobs
	grep -q '^filename=' /run/bench/jobs || return 0
	fio /run/bench/jobs --output-format=json --output=fio.json
}

# --- in the guest ---

# guest_setup MACHINE
guest_setup() {
	mkdir -p /run/bench
	quiet_cards
	modprobe -a virtio_blk virtio_net e1000 ata_piix sd_mod || return
	# A pvblk that knows of no such queues says so and goes on.
	pvbus_guest_load || return
	lab_insmod pvblk "poll_queues=$POLL_QUEUES" || return
	lab_insmod pvnet || return
	guest_disks "$1" && guest_cards "$1"
}

# guest_disks MACHINE
guest_disks() {
	local name how node

	null_disk gnull $DISK_MB || return
	# It has no pages before it was written.
	dd if=/dev/zero of=/dev/gnull bs=1M oflag=direct status=none
	{
		echo "pvblk $(pvblk_disk disk)"
		echo "guest-null /dev/gnull"
	} >$DISKS
	while read -r name how; do
		if [ "$name" = ide ]; then
			wait_for /dev/sda || return
			echo "ide /dev/sda" >>$DISKS
			continue
		fi
		node=$(virtio_disk "$name") || return
		[ "$how" != poll ] || virtio_poll_queue "$node"
		echo "$name /dev/$node" >>$DISKS
	done <"$PLAN/$1.disks"
	cat $DISKS
}

# virtio_disk SERIAL
virtio_disk() {
	local file serial

	for file in /sys/block/vd*/serial; do
		serial=$(<"$file")
		[ "$serial" = "$1" ] || continue
		file=${file%/serial}
		echo "${file##*/}"
		return
	done
	echo "no virtio disk $1" >&2
	return 1
}

# virtio_poll_queue NODE: has one queue poll, of a disk that has more. The
# parameter is every disk's, when its driver takes it.
virtio_poll_queue() {
	local driver=/sys/bus/virtio/drivers/virtio_blk device

	device=$(basename "$(readlink -f "/sys/block/$1/device")")
	echo 1 >/sys/module/virtio_blk/parameters/poll_queues
	echo "$device" >$driver/unbind
	echo "$device" >$driver/bind
	echo 0 >/sys/module/virtio_blk/parameters/poll_queues
	wait_for "/dev/$1"
}

# guest_cards MACHINE
guest_cards() {
	local number how mac card

	while read -r _ number how mac; do
		if [ "$how" = pvbus ]; then
			card=$(pvnet_card lan)
		else
			card=$(grep -lx "$mac" /sys/class/net/*/address)
			card=${card%/address}
		fi
		ip link set "${card##*/}" up &&
			ip addr add "198.18.$number.2/24" dev "${card##*/}" || return
	done <"$PLAN/$1.cards"
	ip -br addr
}

guest_fio() {
	run_fio /lab/fio "$@"
}

# bytes SIZE: what sockperf can send, which is a little less than 64k.
bytes() {
	case $1 in
	64k) echo 65000 ;;
	*k) echo $((${1%k} * 1024)) ;;
	*) echo "$1" ;;
	esac
}

# stream OPTION...
stream() {
	iperf3 -J -t "$STREAM_SECONDS" -O "$OMIT_SECONDS" "$@"
}

# guest_net NETWORK TEST
guest_net() {
	local host=198.18.$1.1 size=${2##*-} streams=1

	case $2 in *-x*) streams=${2##*-x} ;; esac
	case $2 in
	tcp-tx*) stream -c "$host" -P "$streams" ;;
	tcp-rx*) stream -c "$host" -P "$streams" -R ;;
	tcp-rr*)
		[ "$size" != rr ] || size=64
		sockperf ping-pong --tcp -i "$host" -m "$(bytes "$size")" \
			-t "$RUN_SECONDS" --full-rtt
		;;
	udp-*)
		sockperf throughput -i "$host" -m "$(bytes "$size")" \
			-t "$RUN_SECONDS"
		;;
	esac >/lab/out 2>&1
}

# --- in the host VM ---

# Rounds take turns in which direction they go through the contenders.
order() {
	[ $(($1 % 2)) = 1 ] && echo cat || echo tac
}

# keep_fio DIR: what a fio has left there.
keep_fio() {
	[ ! -e "$1/skipped" ] || cat "$1/skipped"
	[ ! -e "$1/fio.json" ] || mv "$1/fio.json" .
	(cd "$1" && stat -c '%n %.9Y' -- *run.txt) >marks 2>/dev/null
}

# lost STATUS: did "guest" lose it?
lost() {
	[ "$1" = 124 ] || [ "$1" = 125 ]
}

# batch_KIND MACHINE BATCH ROUND, in the directory of the results: fails when the
# guest was lost.
batch_disk() {
	local runs share status=0

	share=$(guest_share "$1")
	mapfile -t runs <"$PLAN/$2"
	GUEST_TIMEOUT=$((20 + ${#runs[@]} * (RUN_SECONDS + 5))) \
		guest "$1" guest_fio "$2" "$(order "$3")" >log 2>&1 || status=$?
	keep_fio "$share/fio" >skipped
	! lost $status
}

batch_native() {
	(run_fio "$LAB_STATE/fio" "$2" cat) >log 2>&1
	keep_fio "$LAB_STATE/fio" >skipped
}

batch_net() {
	local share name network test begin status

	share=$(guest_share "$1")
	while read -r name network test; do
		rm -f "$share/out"
		begin=$EPOCHREALTIME status=0
		guest "$1" guest_net "$network" "$test" >"$name.log" 2>&1 || status=$?
		echo "$name $begin $EPOCHREALTIME" >>marks
		[ ! -e "$share/out" ] || mv "$share/out" "$name.out"
		! lost $status || return
	done < <($(order "$3") "$PLAN/$2")
}

batch_idle() {
	sleep 2
	echo "idle $1 $IDLE_SECONDS" >&"$SAMPLER"
	echo "idle $EPOCHREALTIME" >marks
	sleep $((IDLE_SECONDS + 2))
}

# one_batch ROUND NUMBER KIND MACHINE HALT_POLL_NS
one_batch() {
	local dir=$LAB_OUT/results/$1/$2 status=0

	mkdir -p "$dir"
	cd "$dir" || return
	echo "$5" >/sys/module/kvm/parameters/halt_poll_ns
	[ "$3" = idle ] || echo "watch $4" >&"$SAMPLER"
	"batch_$3" "$4" "$2" "$1" || status=$?
	[ "$3" = idle ] || echo stop >&"$SAMPLER"
	cd /
	return $status
}

# Where this part begins; the one before may have got that far.
read_progress() {
	ROUND=1 BATCH=0 TRIES=0 TOOK=()
	# shellcheck source=/dev/null
	[ ! -e "$PLAN/progress" ] || . "$PLAN/progress"
}

# Where another one would go on.
write_progress() {
	# to be read in a function, where declare would make them its own
	declare -p ROUND BATCH TRIES TOOK | sed 's/^declare -[^ ]* //' \
		>"$LAB_OUT/results/progress.new"
	mv "$LAB_OUT/results/progress.new" "$LAB_OUT/results/progress"
}

# The end of the time for rounds, in seconds of this process.
time_left() {
	echo $((STARTED + BUDGET - END_SECONDS - SECONDS))
}

# round_seconds ROUND: what it will take, by what each batch has taken.
round_seconds() {
	local number kind machine halt last guess sum=0

	while read -r number kind machine halt last guess; do
		[ "$1" -gt "$last" ] || sum=$((sum + ${TOOK[number]:-$guess}))
	done <"$PLAN/batches"
	echo $sum
}

# one_round: from BATCH on. 1: the time was over before it was; 2: this part is.
one_round() {
	local number kind machine halt last guess begin

	# not its standard input: a command of the batch may read that
	while read -r number kind machine halt last guess <&4; do
		[ "$number" -ge "$BATCH" ] || continue
		[ "$ROUND" -le "$last" ] || continue
		[ "$(time_left)" -ge "${TOOK[number]:-$guess}" ] || return
		[ "$number" = "$BATCH" ] || TRIES=0
		BATCH=$number
		if [ "$TRIES" -ge "$TRIES_MAX" ]; then
			diag "round $ROUND batch $number: $TRIES times in vain"
			continue
		fi
		[ $((SECONDS - STARTED)) -lt "$PART_SECONDS" ] || return 2
		TRIES=$((TRIES + 1))
		write_progress
		begin=$SECONDS
		one_batch "$ROUND" "$number" "$kind" "$machine" "$halt" || return 2
		TOOK[number]=$((SECONDS - begin + 1))
		diag "round $ROUND batch $number ($kind, $machine):" \
			"$((SECONDS - begin)) s"
		BATCH=$((number + 1)) TRIES=0
		write_progress
	done 4<"$PLAN/batches"
	ROUND=$((ROUND + 1)) BATCH=0 TRIES=0
	write_progress
}

rounds() {
	local status=0

	read_progress
	# shellcheck disable=SC2153 # the plan's
	while [ "$ROUND" -le "$ROUNDS" ]; do
		[ "$ROUND" = 1 ] || [ "$BATCH" -gt 0 ] ||
			[ "$(round_seconds "$ROUND")" -le "$(time_left)" ] || break
		one_round || status=$?
		[ $status = 0 ] || break
	done
	if [ $status = 2 ]; then
		diag "this part ends in round $ROUND"
		return
	fi
	[ $status = 0 ] || diag "the time was over in round $ROUND"
	rm -f "$LAB_OUT/results/progress"
}

# machine_net MACHINE: the host's ends of its cards.
machine_net() {
	local card number how queues

	while read -r card number how _; do
		if [ "$how" != pvbus ]; then
			queues=()
			[ "$how" = 1 ] || queues=(multi_queue)
			ip tuntap add "$card" mode tap "${queues[@]}" || return
		fi
		ip addr add "198.18.$number.1/24" dev "$card"
		ip link set "$card" up || return
	done <"$PLAN/$1.cards"
}

# machine_setup NAME CPUS CARD: all that its guest needs of the host.
machine_setup() {
	null_disk "back-$1" $DISK_MB || return
	dd if=/dev/zero "of=/dev/back-$1" bs=1M oflag=direct status=none
	pvbusd_start "$1" --disk "id=disk,path=/dev/back-$1" \
		--net "id=lan,ifname=$3" || return
	machine_net "$1"
}

host_setup() {
	local name cpus card

	mkdir -p /run/bench
	quiet_cards
	modprobe -a tun vhost_net || return
	pvbus_host_load || return
	while read -r name cpus card; do
		machine_setup "$name" "$cpus" "$card" || return
	done <"$PLAN/machines"
	# the host's own runs use the disk of the first machine
	read -r name _ <"$PLAN/machines"
	echo "host-native /dev/back-$name" >$DISKS
	iperf3 -s -D
	sockperf server --tcp -i 0.0.0.0 >/dev/null 2>&1 &
	sockperf server -i 0.0.0.0 >/dev/null 2>&1 &
}

# All boot at once; the second CPU would have nothing to do otherwise.
start_guests() {
	local name cpus arguments

	while read -r name cpus _; do
		mapfile -t arguments <"$PLAN/$name.qemu"
		pvbus_guest "$name" --smp "$cpus" --no-wait "${arguments[@]}" || return
	done <"$PLAN/machines"
	while read -r name _; do
		guest_wait_up "$name" || return
	done <"$PLAN/machines"
}

setup_guests() {
	local name

	while read -r name _ <&4; do
		GUEST_TIMEOUT=150 guest "$name" guest_setup "$name" || return
	done 4<"$PLAN/machines"
}

stop_guests() {
	local name

	while read -r name _ <&4; do
		guest_stop "$name" || return
	done 4<"$PLAN/machines"
}

start_sampler() {
	local name cards fifo=$LAB_STATE/sampler machines=()

	while read -r name _; do
		cards=$(cut -d ' ' -f 1 "$PLAN/$name.cards" | paste -sd +)
		machines+=("$name=$(guest_pid "$name"),back-$name,$cards")
	done <"$PLAN/machines"
	mkfifo "$fifo"
	python3 "$REPO/tests/bench/sampler.py" "$LAB_OUT/results/samples" \
		"${machines[@]}" <"$fifo" &
	SAMPLER_PID=$!
	exec {SAMPLER}>"$fifo"
}

stop_sampler() {
	exec {SAMPLER}>&-
	wait "$SAMPLER_PID"
}

environment() {
	local first cpus

	read -r first cpus _ <"$PLAN/machines"
	{
		echo "host_kernel=$(uname -r)"
		echo "guest_kernel=$(guest "$first" uname -r)"
		echo "guest_cpus=$cpus"
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
	STARTED=$SECONDS
	mkdir -p "$LAB_OUT/results"
	check "the host is set up" host_setup || return
	check "the guests boot" start_guests || return
	check "the guests are set up" setup_guests || return
	environment
	start_sampler
	rounds
	check "the counters were sampled" stop_sampler
	check "the guests stop" stop_guests
}
