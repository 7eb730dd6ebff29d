#include "actors/health/readiness.hpp"

#include <algorithm>

namespace picket {

namespace {

/// The registry's changes need little room: only with less than this on its disk are they refused.
constexpr std::int64_t control_least_bytes = 4 << 20;

std::string seconds(std::int64_t ms) { return std::to_string(ms / 1000) + " s"; }

std::string amount(std::int64_t bytes) {
  if (bytes >= std::int64_t{10} << 30) return std::to_string(bytes >> 30) + " GiB";
  if (bytes >= std::int64_t{10} << 20) return std::to_string(bytes >> 20) + " MiB";
  return std::to_string(bytes >> 10) + " KiB";
}

} // namespace

bool readiness::latch::update(bool bad, std::int64_t now_ms, std::int64_t on_ms, std::int64_t off_ms) {
  if (bad == on_) {
    turning_ = false;
    return on_;
  }
  if (!turning_) since_ms_ = now_ms;
  turning_ = true;
  if (now_ms - since_ms_ >= (bad ? on_ms : off_ms)) {
    on_ = bad;
    turning_ = false;
  }
  return on_;
}

std::vector<finding> readiness::judge(const health_facts& facts, std::int64_t now_ms) {
  std::vector<finding> all;
  judge_disks(facts, all);
  judge_journal(facts, now_ms, all);
  judge_analysis(facts, all);
  judge_room(facts, now_ms, all);
  judge_rest(facts, all);
  auto weight = [](const finding& one) { return one.stops_ingest ? 0 : one.stops_control ? 1 : 2; };
  std::stable_sort(all.begin(), all.end(),
                   [&](const finding& a, const finding& b) { return weight(a) < weight(b); });
  // At once and without a latch: it does not come and go by itself.
  apply_drain(facts.draining, all);
  return all;
}

void readiness::judge_disks(const health_facts& facts, std::vector<finding>& into) {
  for (const auto& disk : facts.disks) {
    bool data = disk.of.find("data") != std::string::npos;
    if (!disk.problem.empty()) {
      into.push_back({"the disk of the " + disk.of + " directory does not answer: " + disk.problem,
                      "look at " + disk.directory + " and the system's log", true, data});
      continue;
    }
    auto found =
        std::find_if(full_.begin(), full_.end(), [&](const auto& one) { return one.first == disk.of; });
    if (found == full_.end()) found = full_.insert(full_.end(), {disk.of, false});
    // Once full, it takes clearly more than the limit to be taken for mended.
    auto enough = disk.least_bytes + (found->second ? disk.least_bytes / 8 + 4'096 : 0);
    found->second = disk.free_bytes < enough;
    auto left = "only " + amount(disk.free_bytes) + " left on the disk of the " + disk.of + " directory "
                + disk.directory;
    if (found->second)
      into.push_back({left + ", and " + amount(disk.least_bytes) + " must be free",
                      "free room there; the node goes on by itself", true,
                      data && disk.free_bytes < control_least_bytes});
    else if (disk.free_bytes < 2 * disk.least_bytes)
      into.push_back(
          {left, "free room there; below " + amount(disk.least_bytes) + " the node takes no more"});
  }
}

void readiness::judge_journal(const health_facts& facts, std::int64_t now_ms, std::vector<finding>& into) {
  bool failing =
      journal_.update(facts.journal_failing_ms > 0, now_ms, limits_.journal_failing_ms, limits_.calm_ms);
  if (failing && facts.journal_failing_ms > 0)
    into.push_back(
        {"alerts cannot be written for " + seconds(facts.journal_failing_ms) + ": " + facts.journal_why,
         "mend what it names; nothing is lost while agents can wait, and the node goes on by itself", true});
  else if (failing)
    into.push_back({"alerts can be written again, for a few seconds now", "nothing; wait a moment", true});
  if (facts.journal_busy_ms >= limits_.disk_hangs_ms)
    into.push_back({"a write to the journal has taken " + seconds(facts.journal_busy_ms) + " so far",
                    "its disk hangs or is far too slow; see the system's log", true});
}

void readiness::judge_analysis(const health_facts& facts, std::vector<finding>& into) {
  auto age_ms = facts.oldest_age_ms.value_or(0);
  stuck_ = stuck_ ? age_ms >= limits_.unstuck_ms : age_ms > limits_.stuck_ms;
  if (stuck_)
    into.push_back({"records of " + seconds(age_ms) + " ago are not analysed yet",
                    "see whether the journal's disk is slow, or the processor is busy with other things",
                    true});
  else if (age_ms > limits_.late_ms)
    into.push_back({"events are analysed " + seconds(age_ms) + " late",
                    "watch whether it grows; see the journal's disk and the processor"});
  if (facts.dispatcher_silent_ms >= limits_.silent_ms)
    into.push_back({"the dispatcher has not answered for " + seconds(facts.dispatcher_silent_ms),
                    "a defect: save the log, then restart the node; what was read is kept", true});
}

void readiness::judge_room(const health_facts& facts, std::int64_t now_ms, std::vector<finding>& into) {
  if (room_.update(facts.no_room, now_ms, limits_.no_room_ms, limits_.calm_ms))
    into.push_back(
        {"there is no room for what agents send: pool and overflow are full",
         "find out why the analysis is slow: the journal's disk, the processor; or free room for the "
         "overflow",
         true});
  else if (facts.overflow_batches > 0)
    into.push_back({std::to_string(facts.overflow_batches) + " batches wait in overflow files",
                    "nothing, if their number falls; else the analysis or the journal is too slow"});
  if (facts.paused_connections > 0)
    into.push_back(
        {std::to_string(facts.paused_connections) + " connections of agents are not read for want of room",
         "agents lose lines if they wait for much more than 30 s"});
}

void readiness::judge_rest(const health_facts& facts, std::vector<finding>& into) {
  if (!facts.registry_problem.empty())
    into.push_back({"the registry cannot be read: " + facts.registry_problem,
                    "look at the data directory's disk", false, true});
  if (facts.dead_letters > 0)
    into.push_back(
        {std::to_string(facts.dead_letters) + " lines were set aside because the analysis died of them",
         "see 'picketctl deadletter list', and report them"});
  if (facts.max_descriptors > 0 && facts.open_descriptors * 10 > facts.max_descriptors * 9)
    into.push_back({std::to_string(facts.open_descriptors) + " of " + std::to_string(facts.max_descriptors)
                        + " file descriptors are in use",
                    "raise LimitNOFILE of the unit; without one no agent can connect"});
}

void apply_drain(bool draining, std::vector<finding>& findings) {
  std::erase_if(findings, [](const finding& one) { return one.what == draining_reason; });
  if (draining)
    findings.insert(findings.begin(),
                    {draining_reason,
                     "'picketctl node undrain' lets new agents in again; those that are here stay", true});
}

std::string why_no_ingest(const std::vector<finding>& findings) {
  for (const auto& one : findings)
    if (one.stops_ingest) return one.what;
  return {};
}

std::string why_no_control(const std::vector<finding>& findings) {
  for (const auto& one : findings)
    if (one.stops_control) return one.what;
  return {};
}

} // namespace picket
