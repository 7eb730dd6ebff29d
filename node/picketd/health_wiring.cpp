// What the node watches of itself, and the gauges that are taken when they are read.

#include <algorithm>
#include <chrono>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/time.hpp"
#include "node/picketd/parts.hpp"
#include "node/picketd/process_figures.hpp"

namespace picket {

namespace {

/// The pool is allocated in full, so its disk needs next to nothing more.
constexpr std::int64_t runtime_least_bytes = 1 << 20;
constexpr std::chrono::seconds monitor_limit{5};

struct named_directory {
  const char* of;
  std::filesystem::path path;
  std::int64_t least_bytes;
};

disk_facts ask_disk(const named_directory& which, const metrics& counts) {
  disk_facts disk{which.of, which.path.string(), {}, 0, which.least_bytes};
  struct statvfs room {};
  if (::statvfs(which.path.c_str(), &room) != 0) {
    disk.problem = system_text(errno);
    return disk;
  }
  disk.free_bytes = static_cast<std::int64_t>(room.f_bavail) * static_cast<std::int64_t>(room.f_frsize);
  counts.disk_free_bytes.set_for(which.of, static_cast<double>(disk.free_bytes));
  return disk;
}

/// Each disk once, whatever lies on it.
std::vector<disk_facts> ask_disks(const config::settings& settings, const metrics& counts) {
  auto least_bytes = settings.limits.disk_free_min_bytes;
  const named_directory all[] = {
      {"journal", settings.paths.journal_dir, least_bytes},
      {"data", settings.paths.data_dir, least_bytes},
      {"runtime", settings.paths.runtime_dir, std::min(least_bytes, runtime_least_bytes)}};
  std::vector<disk_facts> disks;
  std::vector<dev_t> seen;
  for (const auto& one : all) {
    auto disk = ask_disk(one, counts);
    struct stat info {};
    auto device = ::stat(one.path.c_str(), &info) == 0 ? info.st_dev : dev_t{0};
    auto same = std::find(seen.begin(), seen.end(), device);
    if (device == 0 || same == seen.end()) {
      seen.push_back(device);
      disks.push_back(std::move(disk));
      continue;
    }
    auto& shared = disks[static_cast<std::size_t>(same - seen.begin())];
    shared.of += std::string{" and "} + one.of;
    shared.least_bytes = std::max(shared.least_bytes, disk.least_bytes);
  }
  return disks;
}

std::optional<std::int64_t> age_of_oldest(const shard_intake& intake) {
  auto oldest_ms = intake.oldest_arrival_ms();
  if (!oldest_ms) return std::nullopt;
  return std::max<std::int64_t>(0, wall_clock_ms() - *oldest_ms);
}

} // namespace

void node::parts::add_collectors() {
  own_counts->add_collector([this](const metrics& to) {
    to.ingest_connections.set(static_cast<double>(agents->connections()));
    to.ingest_oldest_unprocessed_seconds.set(static_cast<double>(age_of_oldest(*intake).value_or(0)) / 1000);
    to.ingest_ready.set(not_ready_for_ingest().empty() ? 1 : 0);
    to.node_draining.set(draining ? 1 : 0);
    auto segments = pool->figures();
    to.pool_segments.set_for("free", segments.free_segments);
    to.pool_segments.set_for("used", segments.segments - segments.free_segments);
    if (enrollment) to.enrollment_exchanges.set(static_cast<double>(enrollment->open_exchanges()));
    to.engine_first_seen_keys.set(static_cast<double>(first_seen->size()));
    to.engine_first_seen_evictions_total.raise_to(static_cast<double>(first_seen->evicted()));
    to.store_bytes.set_for("state", static_cast<double>(tables->used_bytes()));
    to.store_bytes.set_for("local", static_cast<double>(local->used_bytes()));
    to.log_suppressed_total.raise_to(static_cast<double>(log->suppressed()));
    to.http_open_requests.set_for("admin", static_cast<double>(admin->open_requests()));
    to.http_open_requests.set_for("health", static_cast<double>(health->open_requests()));
    to.process_start_seconds.set(static_cast<double>(started_ms) / 1000);
    show_process(to);
  });
}

health_facts node::parts::look() const {
  health_facts facts;
  facts.oldest_age_ms = age_of_oldest(*intake);
  auto journal = journal_state->look(steady_clock_ms());
  facts.journal_failing_ms = journal.failing_ms;
  facts.journal_busy_ms = journal.busy_ms;
  facts.journal_why = journal.why;
  facts.disks = ask_disks(settings, *counts);
  // With durable ingest nothing is analysed before the overflow has it.
  facts.no_room = intake->pressure_now() == pressure::stop || pool->free_segments() == 0
                  || (settings.ingest.durable && intake->overflow_now() != overflow_state::accepting);
  facts.draining = draining;
  auto count = [](double value) { return static_cast<std::uint64_t>(std::max(0.0, value)); };
  facts.overflow_batches = count(counts->overflow_batches.value());
  facts.paused_connections = count(counts->ingest_waiting_connections.value_for("paused"));
  facts.dead_letters = count(counts->deadletter_letters.value());
  facts.open_descriptors = count(counts->process_open_descriptors.value());
  facts.max_descriptors = count(counts->process_max_descriptors.value());
  if (auto view = tables->read(); !view) facts.registry_problem = to_string(view.error());
  return facts;
}

void node::parts::spawn_monitor() {
  add_collectors();
  monitor_setup setup;
  setup.look = [this] { return look(); };
  setup.board = board;
  setup.dispatcher = dispatcher->handle;
  setup.steady_ms = steady_clock_ms;
  setup.wall_ms = wall_clock_ms;
  setup.counts = counts;
  setup.log = log;
  monitor = system->spawn<caf::detached>(picket::monitor, setup);
  // What it found first is known before the ports open.
  caf::scoped_actor self{*system};
  self->request(monitor, monitor_limit, status_atom_v).receive([](bool) {}, [](const caf::error&) {});
}

void node::parts::watch_parts() {
  watch(watching, registry, "registry");
  watch(watching, membership, "membership");
  watch(watching, listener, "listener");
  watch(watching, dispatcher->handle, "dispatcher");
  watch(watching, sink, "alert sink");
  watch(watching, examiner, "examiner");
  watch(watching, monitor, "monitor");
  watch(watching, spill->handle, "overflow");
  if (enroller) watch(watching, enroller, "enroller");
}

result<void> node::parts::open_agent_check() {
  if (!settings.health.agent_check_enabled) return {};
  auto where = endpoint_of(settings.health.agent_check_listen, "health.agent_check_listen");
  if (!where) return tl::unexpected<error>(where.error());
  auto opened = picket::agent_check_port::open({*where, [this] { return not_ready_for_ingest(); }}, counts);
  if (!opened) return tl::unexpected<error>(opened.error());
  agent_check = std::move(*opened);
  return {};
}

void node::parts::end_monitor() {
  if (!monitor) return;
  caf::scoped_actor self{*system};
  self->monitor(monitor);
  self->send_exit(monitor, caf::exit_reason::kill);
  self->receive([](const caf::down_msg&) {}, caf::after(monitor_limit) >> [] {});
  monitor = nullptr;
}

health_board::view node::parts::health_now() const {
  auto now = board->look(steady_clock_ms());
  apply_drain(draining, now.findings);
  return now;
}

std::string node::parts::not_ready_for_ingest() const {
  if (stopping) return "the node stops";
  return why_no_ingest(health_now().findings);
}

std::string node::parts::not_ready_for_control() const {
  if (stopping) return "the node stops";
  return why_no_control(health_now().findings);
}

} // namespace picket
