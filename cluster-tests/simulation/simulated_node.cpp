#include "cluster-tests/simulation/simulated_node.hpp"

#include <algorithm>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/agent_session/agent_session.hpp"
#include "actors/alert_sink/alert_sink.hpp"
#include "actors/decoder/decoder.hpp"
#include "actors/examiner/examiner.hpp"
#include "actors/interfaces.hpp"
#include "actors/rule/rule.hpp"
#include "base/time.hpp"
#include "cluster-tests/simulation/virtual_time.hpp"
#include "net/tls.hpp"

namespace picket::simulation {

namespace {

constexpr std::int64_t answer_limit_ms = 20'000; ///< the longest limit of any request is the enroller's 8 s
constexpr std::uint64_t overflow_file_bytes = 256 << 10U;

class journal_of_run final : public alert_journal {
public:
  explicit journal_of_run(std::shared_ptr<simulated_journal> run)
      : run_{std::move(run)} {}
  result<void> append(const journal_texts& texts, std::int64_t) override {
    if (run_->failing) return fail(errc::disk_full, "the simulated disk is full");
    for (auto rest = texts.archives_json; !rest.empty();) {
      auto end = rest.find('\n');
      run_->written.take_line(rest.substr(0, end));
      ++run_->lines;
      rest.remove_prefix(end + 1);
    }
    return {};
  }
  result<void> tick(std::int64_t) override { return sync(); }
  result<void> sync() override {
    if (run_->failing) return fail(errc::io, "the simulated disk fails");
    return {};
  }

private:
  std::shared_ptr<simulated_journal> run_;
};

template <class T>
T must(result<T> made) {
  if (!made) throw std::runtime_error{to_string(made.error())};
  return std::move(*made);
}

/// Asks one thing, notes that an answer came, whatever it was, and ends.
template <class Answer, class Handle, class Atom>
caf::behavior ask_for(caf::event_based_actor* self, Handle whom, Atom what, std::function<void()> answered) {
  self->request(whom, std::chrono::milliseconds{answer_limit_ms / 2}, what)
      .then([answered](const Answer&) { answered(); }, [answered](const caf::error&) { answered(); });
  return {};
}

} // namespace

struct simulated_node::config : caf::actor_system_config {
  config() {
    add_message_types<caf::id_block::picket_registry>();
    add_message_types<caf::id_block::picket_session>();
    add_message_types<caf::id_block::picket_enroller>();
    add_message_types<caf::id_block::picket_membership>();
    add_message_types<caf::id_block::picket_listener>();
    add_message_types<caf::id_block::picket_dispatch>();
    add_message_types<caf::id_block::picket_examiner>();
    add_message_types<caf::id_block::picket_overflow>();
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

node_shape node_shape::draw(std::mt19937_64& random) {
  auto between = [&](std::uint64_t low, std::uint64_t high) { return low + random() % (high - low + 1); };
  node_shape shape;
  shape.segments = static_cast<std::uint32_t>(between(24, 96));
  shape.shards = static_cast<std::uint32_t>(between(1, 4));
  shape.quota = static_cast<std::uint32_t>(between(shape.segments / 2, shape.segments));
  shape.executors = static_cast<std::uint32_t>(between(1, 3));
  shape.batch_records = static_cast<std::uint32_t>(between(1, 32));
  shape.durable = between(0, 3) == 0;
  shape.strict = shape.durable || between(0, 3) == 0;
  // None, a small one that fills, or a large one.
  constexpr std::uint64_t sizes[] = {0, 400 << 10U, 64 << 20U};
  shape.overflow_bytes = shape.durable ? sizes[2] : sizes[between(0, 2)];
  shape.events_per_second = between(0, 4) == 0 ? 20 : 0;
  return shape;
}

std::string node_shape::to_text() const {
  return std::to_string(segments) + " segments, quota " + std::to_string(quota) + ", "
         + std::to_string(shards) + " shards, " + std::to_string(executors) + " executors, batches of "
         + std::to_string(batch_records) + ", overflow " + std::to_string(overflow_bytes)
         + (durable ? ", durable" : "") + (strict ? ", strict" : "") + ", limit "
         + std::to_string(events_per_second);
}

simulated_node::simulated_node(std::filesystem::path where, node_shape with,
                               std::shared_ptr<const engine::ruleset> rules,
                               std::shared_ptr<simulated_journal> journal)
    : directory{std::move(where)}
    , shape{with} {
  settings = std::make_unique<config>();
  system = std::make_unique<caf::actor_system>(*settings);
  io = must(net::io_thread::create("simulated"));
  io->step();
  open_stores();
  spawn_actors(std::move(rules), std::move(journal));
  open_port();
}

simulated_node::~simulated_node() {
  // Ends are handled before anything that waits, so no message of the dead process has an effect any more.
  auto end = [](auto& handle) {
    if (handle) caf::anon_send_exit(handle, caf::exit_reason::kill);
    handle = nullptr;
  };
  auto kill_all = [&] {
    for (auto& one : others)
      end(one);
    for (auto& one : session_handles)
      end(one);
    for (auto& one : executors) {
      end(one.decoder);
      end(one.rule);
    }
    end(dispatcher_handle);
    end(examiner_handle);
    end(overflow_handle);
    end(sink_handle);
    end(enroller_handle);
    end(membership_handle);
    end(registry_handle);
    scheduler().run();
  };
  kill_all();
  for (auto& one : connections)
    one->close(net::close_reason::reset);
  connections.clear();
  io->step();
  scheduler().run();
}

void simulated_node::open_stores() {
  tables = must(store::registry_tables::open(directory / "state"));
  local = must(store::local_state::open(directory / "local", wall_clock_ms() / 1'000));
  store::pool_options options;
  options.segments = shape.segments;
  options.segment_bytes = 4'096;
  options.shards = shape.shards;
  options.shard_quota_segments = shape.quota;
  options.node = local->node_number();
  options.boot = local->boot();
  pool = must(store::pool::open(directory / "run/pool", options));
  letters = must(store::deadletter_store::open(directory / "deadletter", 1'000));
  if (shape.overflow_bytes == 0) return;
  store::overflow_options disk;
  disk.dir = directory / "overflow";
  disk.max_bytes = shape.overflow_bytes;
  disk.keep_free_bytes = 0;
  disk.file_bytes = overflow_file_bytes;
  files = must(store::overflow::open(disk));
}

void simulated_node::spawn_actors(std::shared_ptr<const engine::ruleset> rules,
                                  std::shared_ptr<simulated_journal> journal) {
  registry::registry_setup registering;
  registering.tables = tables;
  registering.store = std::make_shared<registry::embedded_store>(*tables);
  registering.context.node = local->node_number();
  registering.counts = counts;
  registering.log = log;
  registry_handle = system->spawn(registry::registry, registering);
  sessions = std::make_shared<session_directory>(protocol::counter_pair{local->counter_floor(), 0});

  intake_options gather;
  gather.shards = shape.shards;
  gather.batch_records = shape.batch_records;
  gather.batch_bytes = 66'000;
  gather.durable = shape.durable;
  intake_links links;
  links.announce = [this](shard_id shard) {
    if (dispatcher_handle) caf::anon_send(dispatcher_handle, ready_atom_v, shard);
  };
  links.ask_overflow = [this] {
    if (overflow_handle) caf::anon_send(overflow_handle, serve_atom_v);
  };
  links.lost = [this](shard_id shard, std::uint64_t batch) {
    for (auto& session :
         sessions->lose_batch(batch, [&](agent_id agent) { return agent % shape.shards == shard; }))
      caf::anon_send(session, closed_atom_v);
  };
  intake = std::make_shared<shard_intake>(pool, files, gather, links, counts, log);
  overflow_handle = system->spawn(overflow, overflow_setup{[to = intake] { return to->serve_overflow(); },
                                                           [to = intake] { to->tick(); }});

  spawn_examiner();
  spawn_analysis(std::move(rules), std::move(journal));
  spawn_members();
  intake->resume();
}

void simulated_node::spawn_analysis(std::shared_ptr<const engine::ruleset> rules,
                                    std::shared_ptr<simulated_journal> journal) {
  sink_setup writing;
  writing.journal = std::make_unique<journal_of_run>(std::move(journal));
  writing.strict = shape.strict;
  writing.done = [this](const work_ptr& what) { caf::anon_send(dispatcher_handle, done_atom_v, what); };
  writing.wall_ms = wall_clock_ms;
  writing.counts = counts;
  writing.log = log;
  sink_handle = system->spawn(alert_sink, std::move(writing));

  rule_setup analysis;
  analysis.node = std::make_shared<engine::node_state>();
  analysis.first = std::make_shared<engine::first_seen_in_memory>();
  analysis.global = std::make_shared<engine::local_global_windows>(engine::hash_seed{});
  analysis.outputs.archives_json = true;
  analysis.counts = counts;
  analysis.survived = [of = intake](const work& what) { of->survived(what); };
  reader_setup reading{tables, statuses, sessions, counts, log, {"sim", "", "sim"}, false, letters};
  dispatcher_setup dispatch;
  dispatch.shards = shape.shards;
  dispatch.executors = shape.executors;
  dispatch.source = intake;
  dispatch.examiner = examiner_handle;
  dispatch.suspects = suspects();
  dispatch.rules = std::move(rules);
  dispatch.make_state = [] { return std::make_shared<engine::shard_state>(); };
  dispatch.make_executor = [this, reading, analysis] {
    auto evaluating = system->spawn(rule, analysis, sink_handle);
    executors.push_back({system->spawn(decoder, reading, evaluating), evaluating});
    return executors.back();
  };
  dispatch.counts = counts;
  dispatch.log = log;
  dispatcher_handle = system->spawn(dispatcher, dispatch);
}

void simulated_node::spawn_examiner() {
  examiner_setup setup;
  // No line is fatal here; what dies, dies by the test's hand.
  setup.examine = [](const protocol::examination::request&) {
    examination_findings found;
    found.complete = true;
    return found;
  };
  setup.common.node_name = "sim";
  setup.letters = std::make_shared<letter_office>(letters, intake, counts, log);
  setup.tables = tables;
  setup.statuses = statuses;
  setup.notices = intake;
  setup.counts = counts;
  setup.log = log;
  examiner_handle = system->spawn(examiner, setup);
}

std::vector<shard_id> simulated_node::suspects() const {
  std::vector<shard_id> shards;
  for (const auto& batch : pool->recovery().batches)
    if (batch.attempt > 0) shards.push_back(static_cast<shard_id>(batch.shard % shape.shards));
  if (files)
    for (const auto& batch : files->recovery().batches)
      if (batch.ref.attempt > 0) shards.push_back(static_cast<shard_id>(batch.ref.shard % shape.shards));
  return shards;
}

void simulated_node::spawn_members() {
  membership_setup members;
  members.self = {local->node_number(), "sim", "0", node_state::up};
  members.tables = tables;
  members.local = local;
  members.statuses = statuses;
  members.notices = intake;
  members.contact_ms = [of = sessions](agent_id id) { return of->contact_ms(id); };
  members.registry = registry_handle;
  members.next_request = [this] { return protocol::request_id{1, local->boot(), ++names}; };
  members.wall_ms = wall_clock_ms;
  members.counts = counts;
  members.log = log;
  membership_handle = system->spawn(membership, members);

  enroller_setup enrolling;
  enrolling.registry = registry_handle;
  enrolling.tables = tables;
  enrolling.statuses = statuses;
  enrolling.draw_key = [] { return std::string(64, 'a'); };
  enrolling.next_request = members.next_request;
  enrolling.counts = counts;
  enrolling.log = log;
  enroller_handle = system->spawn(enroller, enrolling);
}

void simulated_node::open_port() {
  context = std::make_shared<port_context>();
  context->tables = tables;
  context->statuses = statuses;
  context->sessions = sessions;
  context->intake = intake;
  context->counts = counts;
  context->log = log;
  context->events_per_second = shape.events_per_second;
  context->taken =
      store::connection_counts::open(directory / "run/connections", 1'000, local->boot()).value();
  context->unverified = std::make_shared<unverified_connections>(net::provisional_limits{10'000, 0, 0});
  context->refused = std::make_shared<refused_connections>(net::provisional_limits{10'000, 4, 0});
  context->addresses = std::make_shared<net::address_guard>(net::address_guard_limits{});
  context->refusals =
      std::make_shared<refusal_tally>("agents", counts, &metrics::ingest_refused_connections_total, log);
  context->cloned = [](agent_id, const protocol::agent_row&, const net::endpoint&) {};
  context->make_session = [this](const session_link_ptr& link, const protocol::agent_row& row) {
    session_setup session;
    session.agent = link->agent();
    session.name = row.name;
    session.registered_address = row.address;
    session.registration = row.registration;
    session.channel = make_channel(link);
    session.statuses = statuses;
    session.notices = intake;
    session.counts = counts;
    session.log = log;
    session_handles.push_back(system->spawn(agent_session, session));
    return session_handles.back();
  };
  context->proven = [this](agent_id agent) { caf::anon_send(membership_handle, proven_atom_v, agent); };
}

int simulated_node::connect(std::uint64_t& token) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  net::endpoint peer{net::parse_ip("127.0.0.1").value(), 1'000};
  auto fresh = std::make_shared<net::connection>(*io, ends[0], peer, nullptr, net::connection_options{});
  fresh->open(make_agent_connection(context, *fresh));
  std::erase_if(connections, [](const auto& one) { return !one->is_open(); });
  connections.push_back(fresh);
  token = fresh->token();
  return ends[1];
}

std::size_t simulated_node::run_actors(std::size_t count, std::mt19937_64& random) {
  auto& jobs = scheduler().jobs;
  std::size_t ran = 0;
  for (; ran < count && !jobs.empty(); ++ran) {
    std::swap(jobs.front(), jobs[random() % jobs.size()]);
    scheduler().run_once();
  }
  return ran;
}

void simulated_node::run_all() { scheduler().run(); }

void simulated_node::kill_executor(std::size_t which) {
  if (executors.empty()) return; // the dispatcher has not run yet
  // The newest are those that live.
  auto living = std::min<std::size_t>(executors.size(), shape.executors);
  auto& one = executors[executors.size() - 1 - which % living];
  caf::anon_send_exit(which % 2 == 0 ? caf::actor_cast<caf::actor>(one.decoder)
                                     : caf::actor_cast<caf::actor>(one.rule),
                      caf::exit_reason::kill);
}

void simulated_node::ask_something(std::mt19937_64& random) {
  auto open = std::make_shared<question>();
  open->due_ms = virtual_time::now_ms() + answer_limit_ms;
  std::function<void()> answered = [open] { open->answered = true; };
  questions.push_back(open);
  auto ask = [&](auto fun, auto whom, auto atom) {
    others.push_back(system->spawn(fun, whom, atom, answered));
  };
  switch (random() % 4) {
  case 0:
    ask(ask_for<dispatch_status, dispatcher_actor, status_atom>, dispatcher_handle, status_atom_v);
    break;
  case 1:
    ask(ask_for<registry::registry_status, registry_actor, status_atom>, registry_handle, status_atom_v);
    break;
  case 2:
    ask(ask_for<cluster_view, membership_actor, view_atom>, membership_handle, view_atom_v);
    break;
  default: {
    auto exchange = std::make_shared<enrollment_exchange>();
    exchange->line = "OSSEC A:'late-" + std::to_string(++names) + "'";
    exchange->source = net::parse_ip("127.0.0.1").value();
    exchange->answer = [answered](const std::string&) { answered(); };
    caf::anon_send(enroller_handle, enroll_atom_v, exchange_ptr{exchange});
  }
  }
}

std::size_t simulated_node::overdue() const {
  return static_cast<std::size_t>(std::count_if(questions.begin(), questions.end(), [](const auto& one) {
    return !one->answered && one->due_ms < virtual_time::now_ms();
  }));
}

std::string simulated_node::broken_bound() const {
  const auto& waiting = counts->ingest_waiting_connections;
  for (const char* why : {"throttled", "paused", "limited"})
    if (waiting.value_for(why) < 0) return std::string{"fewer than no connection is "} + why;
  // An executor that died may have left there what its successor brings again.
  if (counts->journal_waiting_batches.value() > shape.executors * max_attempts)
    return "more batches wait at the sink than executors can have brought";
  if (files && files->figures().bytes > shape.overflow_bytes)
    return "the overflow holds " + std::to_string(files->figures().bytes) + " bytes";
  if (intake->loaded_bytes() > overflow_pump::loaded_limit_bytes + 66'000 * 2)
    return "too much is read back from the overflow";
  if (!shape.overflow_bytes && counts->overflow_stored_batches_total.value() > 0)
    return "an overflow that is off";
  return {};
}

} // namespace picket::simulation
