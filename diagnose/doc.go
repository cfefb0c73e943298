// Package diagnose tells why servers did not become a pair.
//
// [Of] takes what is known of a recipe that is starting ([Evidence]: what the
// compose file says, the containers' states, their logs, what the servers
// answer) and gives one [Diagnosis]: the missing fact and since when, the
// likely cause, the cure, the line that shows it, and the last error of each
// server. It also says whether waiting longer could still help.
//
// What it knows is a table of rules, the commonest mistakes, from the specific
// to the general: [Mistakes] lists them. The package does no input or output:
// whoever has the evidence gathers it.
package diagnose
