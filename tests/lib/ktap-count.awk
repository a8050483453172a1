# SPDX-License-Identifier: GPL-2.0
#
# Counts the results in one test's KTAP: "PASSED FAILED SKIPPED", and behind
# them words about what is wrong with the report itself.
#
# Only leaves count: a result that sums up deeper ones adds nothing, unless it
# fails though none of those did. A plan that is not kept is a failure, and so
# is a report without a plan at its outermost level. Where the lab says that a
# scenario runs again, what it has reported until then is taken back.

function complain(text)
{
	failed++
	why = why (why ? "; " : " ") text
}

function forget_level(depth)
{
	delete plan[depth]
	delete seen[depth]
	delete bad[depth]
}

# All until here stands, whatever is taken back later
function settle()
{
	passed_before = passed
	failed_before = failed
	skipped_before = skipped
	why_before = why
}

# The level at @depth ends: has it kept its plan?
function close_level(depth)
{
	if (depth in plan && plan[depth] != seen[depth])
		complain("planned " plan[depth] " results, got " seen[depth])
	forget_level(depth)
}

{
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
}

depth == 0 && line ~ /^# .*: it runs again$/ {
	for (d in seen)
		if (d + 0 > 0)
			forget_level(d)
	passed = passed_before
	failed = failed_before
	skipped = skipped_before
	why = why_before
}

line ~ /^1\.\.[0-9]+/ {
	plan[depth] = substr(line, 4) + 0
	seen[depth] += 0
	if (depth == 0)
		planned = 1
}

line ~ /^(not )?ok( |$)/ {
	below = 0
	below_bad = 0
	for (d in seen) {
		if (d + 0 > depth) {
			below += seen[d]
			below_bad += bad[d]
			close_level(d)
		}
	}
	seen[depth]++
	not_ok = line ~ /^not /
	if (not_ok)
		bad[depth]++
	if (below && (!not_ok || below_bad))
		; # counted already
	else if (not_ok)
		failed++
	else if (line ~ /# *[Ss][Kk][Ii][Pp]/)
		skipped++
	else
		passed++
	if (depth == 0)
		settle()
}

END {
	for (d in seen)
		close_level(d)
	if (!planned)
		complain("no plan")
	print passed + 0, failed + 0, skipped + 0 why
}
