#include <chrono>

#include <caf/scoped_actor.hpp>
#include <sys/statvfs.h>

#include "actors/enroller/enroller.hpp"
#include "base/time.hpp"
#include "node/picketd/identity.hpp"
#include "node/picketd/parts.hpp"

namespace picket {

namespace {

constexpr std::int64_t propose_limit_ms = 4'000;
constexpr std::int64_t status_limit_ms = 1'000;
constexpr std::size_t proposals_at_once = 1'000;
/// A record that is older than this and not analysed: the analysis does not get on.
constexpr std::int64_t stuck_after_ms = 60'000;

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
  std::string draw_key() const override { return draw_agent_key(); }
  api::node_figures figures() const override;
  letter_office& letters() override { return *of_.office; }

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

api::node_figures running_node::figures() const {
  api::node_figures figures;
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

std::string node::parts::not_ready_for_ingest() const {
  if (stopping) return "the node stops";
  auto now_ms = wall_clock_ms();
  auto oldest = intake->oldest_arrival_ms();
  auto age_ms = oldest ? std::max<std::int64_t>(0, now_ms - *oldest) : 0;
  counts->ingest_oldest_unprocessed_seconds.set(static_cast<double>(age_ms) / 1000);
  if (age_ms > stuck_after_ms)
    return "records of " + std::to_string(age_ms / 1000) + " s ago are not analysed yet";
  struct statvfs disk {};
  auto dir = settings.paths.journal_dir.string();
  if (::statvfs(dir.c_str(), &disk) != 0) return "the journal's disk does not answer: " + dir;
  auto free_bytes = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  if (free_bytes < settings.limits.disk_free_min_bytes)
    return "only " + std::to_string(free_bytes >> 20) + " MiB free on the journal's disk " + dir;
  return {};
}

std::string node::parts::not_ready_for_control() const {
  if (stopping) return "the node stops";
  auto view = tables->read();
  return view ? std::string{} : to_string(view.error());
}

} // namespace picket
