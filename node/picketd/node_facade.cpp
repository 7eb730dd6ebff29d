#include <algorithm>
#include <chrono>

#include <caf/scoped_actor.hpp>

#include "actors/enroller/enroller.hpp"
#include "base/time.hpp"
#include "node/picketd/identity.hpp"
#include "node/picketd/parts.hpp"

namespace picket {

namespace {

constexpr std::int64_t propose_limit_ms = 4'000;
constexpr std::int64_t status_limit_ms = 1'000;
constexpr std::size_t proposals_at_once = 1'000;

/// The API's view of a running node. Each call makes an actor of its own on the calling thread, asks, and
/// waits at most the limit.
class running_node final : public api::node_facade {
public:
  explicit running_node(node::parts& of)
      : of_{of}
      , next_{of.request_source()} {}

  registry::propose_answer propose(protocol::command_arguments arguments, const std::string& actor,
                                   const std::string& from) override {
    return propose_many({std::move(arguments)}, actor, from).front();
  }

  std::vector<registry::propose_answer> propose_many(std::vector<protocol::command_arguments> commands,
                                                     const std::string& actor,
                                                     const std::string& from) override {
    std::vector<registry::propose_answer> answers(commands.size(), {registry::proposed::unknown, 0, {}});
    caf::scoped_actor self{*of_.system};
    for (std::size_t begin = 0; begin < commands.size(); begin += proposals_at_once) {
      auto end = std::min(commands.size(), begin + proposals_at_once);
      using pending = decltype(self->request(of_.registry, std::chrono::milliseconds{1}, propose_atom_v,
                                             registry::proposal_ptr{}));
      std::vector<pending> asked;
      for (auto i = begin; i < end; ++i)
        asked.push_back(self->request(of_.registry, std::chrono::milliseconds{propose_limit_ms},
                                      propose_atom_v, proposal_of(std::move(commands[i]), actor, from)));
      for (auto i = begin; i < end; ++i)
        asked[i - begin].receive([&](const registry::propose_answer& answer) { answers[i] = answer; },
                                 [](const caf::error&) {});
    }
    return answers;
  }

  const store::registry_tables& tables() const override { return *of_.tables; }
  const agent_status_table& statuses() const override { return *of_.statuses; }
  protocol::agent_evidence evidence(agent_id id, std::uint64_t registration) const override {
    return evidence_of(*of_.statuses, id, registration);
  }
  agent_contact contact(agent_id id) const override { return of_.sessions->contact(id); }
  std::string draw_key() const override { return draw_agent_key(); }
  std::string name() const override { return of_.name; }
  api::node_figures figures() const override;
  letter_office& letters() override { return *of_.office; }
  bool drain(bool on, const std::string& actor, const std::string& from) override {
    bool before = of_.draining.exchange(on);
    if (before != on)
      of_.log->write(on ? log_event::node_draining : log_event::node_undrained,
                     {{"by", actor}, {"from", from}});
    return before;
  }
  bool draining() const override { return of_.draining; }

private:
  registry::proposal_ptr proposal_of(protocol::command_arguments arguments, const std::string& actor,
                                     const std::string& from) const {
    auto made = std::make_shared<registry::proposal>();
    made->command.request = next_();
    made->command.actor = actor;
    made->command.from = from;
    made->command.made_ms = wall_clock_ms();
    made->command.arguments = std::move(arguments);
    made->deadline_ms = steady_clock_ms() + propose_limit_ms;
    return made;
  }

  template <class Status, class Handle>
  Status status_of(caf::scoped_actor& self, const Handle& who) const {
    Status status{};
    self->request(who, std::chrono::milliseconds{status_limit_ms}, status_atom_v)
        .receive([&](const Status& answer) { status = answer; }, [](const caf::error&) {});
    return status;
  }

  node::parts& of_;
  std::function<protocol::request_id()> next_;
};

const char* name_of(overflow_state state) {
  switch (state) {
  case overflow_state::off:
    return "off";
  case overflow_state::accepting:
    return "accepting";
  case overflow_state::full:
    return "full";
  case overflow_state::failing:
    return "failing";
  }
  return "off";
}

/// A counter whose growth is a refusal or a loss.
struct refusal_source {
  const char* series; ///< up to the label's value
  const char* what;
};

constexpr refusal_source refusal_sources[] = {
    {"picket_ingest_refused_connections_total{reason=", "connections of agents"},
    {"picket_ingest_bad_records_total{reason=", "records"},
    {"picket_ingest_malformed_events_total", "events without queue or location"},
    {"picket_ingest_limited_events_total{policy=", "events above an agent's limit"},
    {"picket_session_startups_total{outcome=refused", "start-ups of agents"},
    {"picket_session_dropped_messages_total", "messages to agents without room"},
    {"picket_session_dropped_notices_total", "events of the node without room"},
    {"picket_enrollment_requests_total{outcome=refused", "enrollments"},
    {"picket_enrollment_requests_total{outcome=unavailable", "enrollments, the registry being unavailable"},
    {"picket_enrollment_refused_connections_total{reason=", "connections for enrollment"},
    {"picket_registry_commands_total{outcome=refused", "changes of the registry"},
    {"picket_engine_limits_hit_total", "matches given up"},
    {"picket_deadletter_lines_total{outcome=lost", "dead letters"},
    {"picket_overflow_damaged_batches_total", "batches of the overflow, damaged"},
    {"picket_api_requests_total{status=\"4xx", "requests on the admin endpoint"},
    {"picket_log_suppressed_total", "lines of the log, held back"},
};

std::vector<api::refusal_figure> refusals_of(const health_board::view& seen) {
  std::vector<api::refusal_figure> all;
  for (std::size_t i = 0; i < seen.growth.size(); ++i) {
    const auto& series = (*seen.series)[i];
    auto growth = seen.growth[i];
    if (growth < 1) continue;
    for (const auto& source : refusal_sources) {
      if (series.rfind(source.series, 0) != 0) continue;
      auto quote = series.find('"');
      auto reason = quote == std::string::npos ? std::string{} : series.substr(quote + 1);
      reason = reason.substr(0, reason.find('"'));
      all.push_back({source.what, reason, static_cast<std::uint64_t>(growth)});
      break;
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return all;
}

void add_sections(api::node_figures& figures, const node::parts& of, const health_board::view& seen,
                  const journal_health::view& journal) {
  const auto& now = *of.counts;
  auto per_second = [&](const char* series) {
    return seen.minute_ms > 0 ? seen.grown(series) * 1000 / static_cast<double>(seen.minute_ms) : 0;
  };
  auto pool = of.pool->figures();
  auto waiting = [&](const char* why) { return now.ingest_waiting_connections.value_for(why); };
  figures.sections = {
      {"ingest",
       {{"connections", now.ingest_connections.value()},
        {"agents_connected", static_cast<double>(of.sessions->size())},
        {"records_per_second", per_second("picket_ingest_records_total")},
        {"bytes_per_second", per_second("picket_ingest_bytes_total")},
        {"throttled_connections", waiting("throttled")},
        {"paused_connections", waiting("paused")},
        {"limited_connections", waiting("limited")},
        {"enrollments_last_minute", seen.grown("picket_enrollment_requests_total{outcome=\"accepted\"}")}}},
      {"waiting",
       {{"oldest_seconds", now.ingest_oldest_unprocessed_seconds.value()},
        {"pool_used_segments", static_cast<double>(pool.segments - pool.free_segments)},
        {"pool_segments", static_cast<double>(pool.segments)},
        {"overflow_batches", now.overflow_batches.value()},
        {"overflow_bytes", now.overflow_bytes.value()},
        {"ready_shards", now.dispatch_ready_shards.value()},
        {"dead_letters", now.deadletter_letters.value()}}},
      {"analysis",
       {{"events_per_second", per_second("picket_engine_events_total")},
        {"alerts_per_second", per_second("picket_engine_alerts_total")},
        {"busy_executors", now.dispatch_busy_executors.value()},
        {"processor_cores", per_second("picket_process_cpu_seconds_total{mode=\"user\"}")
                                + per_second("picket_process_cpu_seconds_total{mode=\"system\"}")},
        {"resident_bytes", now.process_resident_bytes.value()}}},
      {"journal",
       {{"bytes_per_second", per_second("picket_journal_bytes_total{file=\"alerts_json\"}")
                                 + per_second("picket_journal_bytes_total{file=\"alerts_log\"}")
                                 + per_second("picket_journal_bytes_total{file=\"archives_json\"}")},
        {"waiting_batches", now.journal_waiting_batches.value()},
        {"failing_seconds", static_cast<double>(journal.failing_ms) / 1000}}},
      {"agents",
       {{"active", now.agents.value_for("active")},
        {"pending", now.agents.value_for("pending")},
        {"disconnected", now.agents.value_for("disconnected")},
        {"never_connected", now.agents.value_for("never_connected")}}}};
}

api::node_figures running_node::figures() const {
  api::node_figures figures;
  of_.counts->refresh();
  auto seen = of_.health_now();
  auto journal = of_.journal_state->look(steady_clock_ms());
  figures.findings = seen.findings;
  figures.disks = seen.disks;
  figures.minute_ms = seen.minute_ms;
  figures.refusals = refusals_of(seen);
  add_sections(figures, of_, seen, journal);
  figures.node = of_.name;
  figures.version = PICKET_VERSION;
  figures.cluster = of_.settings.node.cluster_name;
  figures.started_ms = of_.started_ms;
  auto ingest = of_.not_ready_for_ingest();
  auto control = of_.not_ready_for_control();
  figures.ready_ingest = ingest.empty();
  figures.ready_control = control.empty();
  figures.not_ready_because = ingest.empty() ? control : ingest;
  caf::scoped_actor self{*of_.system};
  auto registry = status_of<registry::registry_status>(self, of_.registry);
  auto listening = status_of<listener_status>(self, of_.listener);
  auto dispatch = status_of<dispatch_status>(self, of_.dispatcher->handle);
  auto pool = of_.pool->figures();
  figures.facts = {{"agents_port", net::to_string(of_.agents->where())},
                   {"enrollment_port", of_.enrollment ? net::to_string(of_.enrollment->where()) : "off"},
                   {"data_dir", of_.settings.paths.data_dir.string()},
                   {"journal_dir", of_.settings.paths.journal_dir.string()},
                   {"journal_file", journal.file},
                   {"agent_check", of_.agent_check ? net::to_string(of_.agent_check->where()) : "off"},
                   {"draining", of_.draining ? "yes" : "no"},
                   {"overflow", name_of(of_.intake->overflow_now())},
                   {"registry", registry.backend},
                   {"ruleset", of_.rules->digest}};
  const auto& counts = *of_.counts;
  auto count = [](double value) { return static_cast<std::uint64_t>(value); };
  figures.counts = {{"agents", registry.agents},
                    {"groups", registry.groups},
                    {"registry_revision", registry.revision},
                    {"connections", listening.connections},
                    {"sessions", listening.sessions},
                    {"refused_connections", listening.refused},
                    {"rules", of_.rules->summary.rules},
                    {"decoders", of_.rules->summary.decoders},
                    {"executors", dispatch.executors},
                    {"busy_executors", dispatch.busy},
                    {"ready_shards", dispatch.ready_shards},
                    {"batches", dispatch.batches},
                    {"requeued_batches", dispatch.requeued},
                    {"events", count(counts.engine_events_total.value())},
                    {"alerts", count(counts.engine_alerts_total.value())},
                    {"dead_letters", of_.letters->size()},
                    {"pool_segments", pool.segments},
                    {"pool_free_segments", pool.free_segments}};
  return figures;
}

} // namespace

std::shared_ptr<api::node_facade> make_facade(node::parts& of) { return std::make_shared<running_node>(of); }

} // namespace picket
