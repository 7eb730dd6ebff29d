#include <algorithm>
#include <filesystem>
#include <thread>

#include <caf/send.hpp>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "actors/api/token.hpp"
#include "base/time.hpp"
#include "node/picketd/identity.hpp"
#include "node/picketd/parts.hpp"
#include "node/picketd/ruleset_source.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/enrollment/keys.hpp"

namespace picket {

namespace fs = std::filesystem;

namespace {

constexpr int certificate_days = 3'650;
constexpr std::size_t refused_per_agent = 4;

result<void> make_private(const fs::path& dir) {
  std::error_code problem;
  bool made = fs::create_directories(dir, problem);
  if (problem)
    return fail(errc::io, "cannot make the directory: " + problem.message(), dir.string(),
                "make it writable for the user of the node, or set paths.* to other directories");
  if (made) fs::permissions(dir, fs::perms::owner_all, problem);
  return {};
}

std::vector<net::address_range> ranges_of(const config::address_ranges& from) {
  std::vector<net::address_range> all;
  for (const auto& range : from)
    all.push_back({{range.v6, range.base}, range.bits});
  return all;
}

engine::hash_seed random_seed() {
  engine::hash_seed seed;
  RAND_bytes(reinterpret_cast<unsigned char*>(&seed), sizeof seed);
  return seed;
}

protocol::version_policy versions_of(const config::settings& settings) {
  return {agent_facing_version, settings.enrollment.allow_higher_versions};
}

std::size_t executors_of(const config::settings& settings) {
  if (settings.engine.executors > 0) return static_cast<std::size_t>(settings.engine.executors);
  return std::max(1u, std::thread::hardware_concurrency());
}

/// Makes certificate and key if neither is there.
result<void> ensure_certificate(const config::tls_settings& tls, const std::string& name, event_log& log) {
  if (auto made = make_private(tls.certificate.parent_path()); !made) return made;
  auto fresh = net::ensure_self_signed(tls.certificate.string(), tls.key.string(), name, certificate_days);
  if (!fresh) return tl::unexpected<error>(fresh.error());
  if (*fresh) log.write(log_event::certificate_made, {{"file", tls.certificate.string()}});
  return {};
}

result<std::string> read_password(const config::enrollment_settings& settings) {
  if (!settings.use_password) return std::string{};
  auto file = settings.password_file.string();
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0)
    return fail(errc::io, "cannot read the password file: " + system_text(errno), file,
                "write the password into its first line (mode 0600), or set enrollment.use_password: no");
  if ((info.st_mode & 07) != 0)
    return fail(errc::permission, "anybody may read the password file", file, "chmod 600 " + file);
  std::string content(4'096, '\0');
  auto* in = std::fopen(file.c_str(), "r");
  if (in == nullptr) return fail(errc::io, "cannot read the password file: " + system_text(errno), file);
  content.resize(std::fread(content.data(), 1, content.size(), in));
  std::fclose(in);
  auto password = protocol::parse_password_file(content);
  if (!password) {
    auto err = password.error();
    err.where = file;
    return tl::unexpected<error>(err);
  }
  return password;
}

} // namespace

result<net::endpoint> endpoint_of(const config::listen_address& address, const char* key) {
  auto host = address.host.empty() ? std::string{"0.0.0.0"} : address.host;
  auto ip = net::parse_ip(host == "localhost" ? "127.0.0.1" : host);
  if (!ip) {
    auto err = ip.error();
    err.where = key;
    return tl::unexpected<error>(err);
  }
  return net::endpoint{*ip, address.port};
}

system_config::system_config(std::size_t threads) {
  add_message_types<caf::id_block::picket_registry>();
  add_message_types<caf::id_block::picket_session>();
  add_message_types<caf::id_block::picket_enroller>();
  add_message_types<caf::id_block::picket_membership>();
  add_message_types<caf::id_block::picket_listener>();
  add_message_types<caf::id_block::picket_dispatch>();
  add_message_types<caf::id_block::picket_examiner>();
  add_message_types<caf::id_block::picket_overflow>();
  set("scheduler.max-throughput", 1);
  set("scheduler.max-threads", threads);
}

std::function<protocol::request_id()> node::parts::request_source() const {
  return [counter = requests, node = local->node_number(), boot = local->boot()] {
    return protocol::request_id{node, boot, counter->fetch_add(1) + 1};
  };
}

result<void> node::parts::open_stores() {
  const auto& data = settings.paths.data_dir;
  for (const auto& dir : {data, settings.paths.runtime_dir})
    if (auto made = make_private(dir); !made) return made;
  store::pool_options pool_options;
  pool_options.segments = static_cast<std::uint32_t>(settings.pool.segments);
  pool_options.segment_bytes = static_cast<std::uint32_t>(settings.pool.segment_bytes);
  pool_options.shards = static_cast<std::uint32_t>(settings.engine.shards);
  pool_options.shard_quota_segments = static_cast<std::uint32_t>(settings.pool.shard_quota_segments);
  auto own = store::local_state::open(data / "local", wall_clock_ms() / 1000);
  if (!own) return tl::unexpected<error>(own.error());
  local = std::move(*own);
  pool_options.node = local->node_number();
  pool_options.boot = local->boot();
  // Its lock tells two nodes in one directory apart before the registry is touched.
  auto opened = store::pool::open(settings.paths.runtime_dir / "pool", pool_options);
  if (!opened) return tl::unexpected<error>(opened.error());
  pool = std::move(*opened);
  if (auto made = open_overflow(); !made) return made;
  auto state =
      store::registry_tables::open(data / "state", {static_cast<std::uint64_t>(settings.limits.store_bytes)});
  if (!state) return tl::unexpected<error>(state.error());
  tables = std::move(*state);
  auto keys = stored_first_seen::load(local);
  if (!keys) return tl::unexpected<error>(keys.error());
  first_seen = std::move(*keys);
  return open_letters();
}

result<void> node::parts::open_overflow() {
  const auto& own = settings.overflow;
  if (own.max_bytes == 0) return {};
  store::overflow_options options;
  options.dir = own.dir;
  options.max_bytes = static_cast<std::uint64_t>(own.max_bytes);
  options.keep_free_bytes = static_cast<std::uint64_t>(settings.limits.disk_free_min_bytes);
  options.file_bytes = std::max(options.file_bytes, options.max_bytes / options.max_files);
  auto opened = store::overflow::open(options);
  if (!opened) return tl::unexpected<error>(opened.error());
  overflow_files = std::move(*opened);
  for (const auto& foreign : overflow_files->recovery().foreign)
    log->write(log_event::overflow_damaged,
               {{"file", foreign}, {"reason", "no overflow file, or only a part"}});
  return {};
}

result<void> node::parts::load_rules() {
  auto options = compile_options_of(settings.journal.alert_level, settings.journal.email_alert_level);
  auto loaded = load_ruleset(settings.ruleset.dir, options, *log);
  if (!loaded) return tl::unexpected<error>(loaded.error());
  rules = std::move(*loaded);
  counts->engine_rules.set(static_cast<double>(rules->summary.rules));
  return {};
}

void node::parts::spawn_state_actors() {
  caf_config = std::make_unique<system_config>(std::max<std::size_t>(4, executors_of(settings) + 2));
  system = std::make_unique<caf::actor_system>(*caf_config);
  system->await_actors_before_shutdown(false);
  registry::registry_setup setup;
  setup.tables = tables;
  setup.store = std::make_shared<registry::embedded_store>(*tables);
  setup.context.node = local->node_number();
  setup.context.server_names = {host_name(), name};
  setup.context.max_agents = static_cast<std::size_t>(settings.limits.max_agents);
  setup.counts = counts;
  setup.log = log;
  registry = system->spawn<caf::detached>(registry::registry, setup);
  statuses = std::make_shared<agent_status_table>();
  sessions = std::make_shared<session_directory>(protocol::counter_pair{local->counter_floor(), 0});
}

void node::parts::open_intake() {
  dispatcher = std::make_shared<dispatcher_slot>();
  spill = std::make_shared<overflow_slot>();
  intake_options gather;
  gather.shards = static_cast<std::size_t>(settings.engine.shards);
  gather.batch_records = static_cast<std::size_t>(settings.engine.batch_records);
  gather.batch_bytes = static_cast<std::size_t>(settings.engine.batch_bytes);
  gather.durable = settings.ingest.durable;
  intake_links links;
  links.announce = [to = dispatcher](shard_id shard) { caf::anon_send(to->handle, ready_atom_v, shard); };
  links.ask_overflow = [to = spill] { caf::anon_send(to->handle, serve_atom_v); };
  links.lost = [to = sessions, shards = gather.shards](shard_id shard, std::uint64_t batch) {
    for (auto& session : to->lose_batch(batch, [&](agent_id agent) { return agent % shards == shard; }))
      caf::anon_send(session, closed_atom_v);
  };
  intake = std::make_shared<shard_intake>(pool, overflow_files, gather, links, counts, log);
  overflow_setup setup;
  setup.serve = [to = intake] { return to->serve_overflow(); };
  setup.tick = [to = intake] { to->tick(); };
  spill->handle = system->spawn<caf::detached>(picket::overflow, setup);
}

result<void> node::parts::open_sink() {
  store::journal_options files;
  files.directory = settings.paths.journal_dir;
  files.alerts_json = settings.journal.alerts_json;
  files.alerts_log = settings.journal.alerts_log;
  files.archives_json = settings.journal.archives_json;
  files.sync_interval_ms = settings.journal.sync_interval_ms;
  files.rotate_bytes = settings.journal.rotate_bytes;
  files.rotate_interval_s = settings.journal.rotate_interval_s;
  auto journal = file_journal::open(files);
  if (!journal) return tl::unexpected<error>(journal.error());
  sink_setup writing;
  writing.journal = std::move(*journal);
  // Durable ingest promises nothing if the alerts of a batch may be lost after the batch is gone.
  writing.strict = settings.journal.strict_sync() || settings.ingest.durable;
  writing.tick_ms = std::min<std::int64_t>(settings.journal.sync_interval_ms, 1'000);
  writing.done = [to = dispatcher](const work_ptr& what) { caf::anon_send(to->handle, done_atom_v, what); };
  writing.wall_ms = wall_clock_ms;
  writing.health = journal_state;
  writing.counts = counts;
  writing.log = log;
  sink = system->spawn<caf::detached>(alert_sink, writing);
  return {};
}

void node::parts::spawn_analysis() {
  rule_setup analysis;
  analysis.node = std::make_shared<engine::node_state>();
  analysis.first = first_seen;
  analysis.global = std::make_shared<engine::local_global_windows>(random_seed());
  analysis.outputs.alerts_json = settings.journal.alerts_json;
  analysis.outputs.alerts_text = settings.journal.alerts_log;
  analysis.outputs.archives_json = settings.journal.archives_json;
  analysis.counts = counts;
  analysis.survived = [of = intake](const work& what) { of->survived(what); };
  reader_setup reading{tables,
                       statuses,
                       sessions,
                       counts,
                       log,
                       {name, settings.node.cluster_name, name},
                       settings.agents.check_counters,
                       letters};
  dispatcher_setup dispatch;
  dispatch.shards = static_cast<std::size_t>(settings.engine.shards);
  dispatch.executors = executors_of(settings);
  dispatch.source = intake;
  dispatch.examiner = examiner;
  dispatch.suspects = suspects();
  dispatch.rules = rules;
  dispatch.make_state = [budget = static_cast<std::size_t>(settings.engine.state_budget_bytes)] {
    engine::shard_limits limits;
    limits.window_bytes = budget / 8;
    return std::make_shared<engine::shard_state>(random_seed(), limits);
  };
  dispatch.make_executor = [sys = system.get(), reading, analysis, out = sink] {
    auto evaluating = sys->spawn(rule, analysis, out);
    return executor{sys->spawn(decoder, reading, evaluating), evaluating};
  };
  dispatch.counts = counts;
  dispatch.log = log;
  dispatcher->handle = system->spawn(picket::dispatcher, dispatch);
}

void node::parts::spawn_membership() {
  membership_setup setup;
  setup.self = {local->node_number(), name, PICKET_VERSION, node_state::up};
  setup.tables = tables;
  setup.local = local;
  setup.statuses = statuses;
  setup.notices = intake;
  setup.contact_ms = [of = sessions](agent_id id) { return of->contact_ms(id); };
  setup.registry = registry;
  setup.limits.disconnection_ms = settings.agents.disconnection_time_s * 1000;
  setup.limits.alert_delay_ms = settings.agents.disconnection_alert_time_s * 1000;
  setup.next_request = request_source();
  setup.wall_ms = wall_clock_ms;
  setup.store_more = [keys = first_seen] { return keys->flush(); };
  setup.counts = counts;
  setup.log = log;
  membership = system->spawn<caf::detached>(picket::membership, setup);
}

void node::parts::guard_port(port_context& context) {
  const auto& own = settings.ingest;
  net::provisional_limits unverified;
  unverified.total = static_cast<std::size_t>(own.max_connections);
  unverified.per_key = static_cast<std::size_t>(own.max_unverified_per_address);
  unverified.bytes = static_cast<std::size_t>(own.max_unverified_bytes);
  context.unverified = std::make_shared<unverified_connections>(unverified);
  context.refused = std::make_shared<refused_connections>(
      net::provisional_limits{static_cast<std::size_t>(own.max_refused), refused_per_agent, 0});
  net::address_guard_limits addresses;
  const auto rate = static_cast<double>(own.new_connections_per_address_per_s);
  addresses.connections = {rate, rate * 10};
  const auto bad = static_cast<double>(own.bad_records_per_minute);
  addresses.failures = {bad / 60, bad};
  addresses.penalty_ms = own.bad_records_penalty_s * 1000;
  context.addresses = std::make_shared<net::address_guard>(addresses);
  context.refusals =
      std::make_shared<refusal_tally>("agents", counts, &metrics::ingest_refused_connections_total, log);
  context.cloned = [notices = intake, to = log, dropped = counts](
                       agent_id agent, const protocol::agent_row& row, const net::endpoint& from) {
    to->write(log_event::agent_cloned,
              {{"agent", to_text(agent)}, {"name", row.name}, {"refused", net::to_string(from)}});
    auto notice =
        protocol::format_notice(protocol::agent_notice::cloned, to_text(agent), row.name, row.address);
    // Without room only the log and a figure say it.
    if (!notices->take(agent, notice.location.substr(notice.location.find("->") + 2), notice.text))
      dropped->session_dropped_notices_total.add();
  };
}

result<void> node::parts::open_agent_port() {
  auto where = endpoint_of(settings.ingest.listen, "ingest.listen");
  if (!where) return tl::unexpected<error>(where.error());
  auto context = std::make_shared<port_context>();
  context->tables = tables;
  context->statuses = statuses;
  context->sessions = sessions;
  context->intake = intake;
  context->counts = counts;
  context->log = log;
  context->versions = versions_of(settings);
  context->takeover.silence_ms = settings.agents.takeover_silence_s * 1000;
  context->takeover.limit = static_cast<std::uint32_t>(settings.agents.takeover_limit);
  context->limits.first_record_ms = settings.ingest.handshake_timeout_ms;
  context->limits.whole_frame_ms = settings.ingest.frame_timeout_ms;
  context->limits.idle_ms = settings.ingest.idle_timeout_s * 1000;
  context->check_counters = settings.agents.check_counters;
  context->events_per_second = settings.agents.events_per_second;
  context->drop_over_limit = settings.agents.events_limit_policy == "drop";
  auto taken = store::connection_counts::open(settings.paths.runtime_dir / "connections",
                                              static_cast<std::uint32_t>(settings.ingest.max_connections),
                                              local->boot());
  if (!taken) return tl::unexpected<error>(taken.error());
  context->taken = std::move(*taken);
  guard_port(*context);
  context->make_session = [this](const session_link_ptr& link, const protocol::agent_row& row) {
    session_setup setup;
    setup.agent = link->agent();
    setup.name = row.name;
    setup.registered_address = row.address;
    setup.registration = row.registration;
    setup.heartbeat_ms = settings.agents.ack_interval_ms;
    setup.channel = make_channel(link);
    setup.statuses = statuses;
    setup.notices = intake;
    setup.counts = counts;
    setup.log = log;
    return system->spawn(agent_session, setup);
  };
  context->proven = [to = membership](agent_id agent) { caf::anon_send(to, proven_atom_v, agent); };
  agent_port_options options;
  options.where = *where;
  options.io_threads = static_cast<unsigned>(settings.ingest.io_threads);
  options.max_connections = static_cast<std::size_t>(settings.ingest.max_connections);
  options.max_connections_per_address = static_cast<std::size_t>(settings.ingest.max_connections_per_address);
  options.backlog = static_cast<int>(settings.ingest.backlog);
  options.connections.write_limit_bytes = static_cast<std::size_t>(settings.ingest.send_buffer_bytes);
  options.connections.write_stuck_ms = settings.ingest.write_timeout_ms;
  options.connections.read_interval_ms = settings.ingest.read_interval_ms;
  options.proxies = ranges_of(settings.ingest.proxy_protocol_from);
  options.proxy_header_ms = settings.ingest.proxy_header_timeout_ms;
  auto opened = picket::agent_port::open(options, context);
  if (!opened) return tl::unexpected<error>(opened.error());
  agents = std::move(*opened);
  listener = system->spawn<caf::detached>(picket::listener, listener_setup{agents, sessions, registry});
  return {};
}

result<void> node::parts::open_enrollment() {
  if (!settings.enrollment.enabled) return {};
  const auto& own = settings.enrollment;
  auto where = endpoint_of(own.listen, "enrollment.listen");
  if (!where) return tl::unexpected<error>(where.error());
  auto password = read_password(own);
  if (!password) return tl::unexpected<error>(password.error());
  if (auto made = ensure_certificate(own.tls, name, *log); !made) return made;
  net::tls_options tls;
  tls.certificate_file = own.tls.certificate.string();
  tls.key_file = own.tls.key.string();
  tls.client_ca_file = own.tls.agent_ca.string();
  tls.verify_client_address = own.tls.verify_host;
  if (!own.tls.ciphers.empty()) tls.ciphers = own.tls.ciphers;
  auto context = net::tls_context::server(tls);
  if (!context) return tl::unexpected<error>(context.error());
  enroller_setup setup;
  setup.policy.password = *password;
  setup.policy.use_source_ip = own.use_source_ip;
  setup.policy.repeat_window_s = own.repeat_unconfirmed ? own.repeat_window_s : 0;
  setup.policy.force = {own.force.enabled, own.force.key_mismatch,
                        own.force.disconnected_time_enabled ? own.force.disconnected_time_s : -1,
                        own.force.after_registration_time_s};
  setup.policy.versions = versions_of(settings);
  setup.registry = registry;
  setup.tables = tables;
  setup.statuses = statuses;
  setup.draw_key = draw_agent_key;
  setup.next_request = request_source();
  setup.counts = counts;
  setup.log = log;
  enroller = system->spawn(picket::enroller, setup);
  enrollment_port_options options;
  options.where = *where;
  options.tls = *context;
  options.max_exchanges = static_cast<std::size_t>(own.max_exchanges);
  options.max_exchanges_per_address = static_cast<std::size_t>(own.max_exchanges_per_address);
  options.exchange_limit_ms = own.timeout_ms;
  options.proxies = ranges_of(own.proxy_protocol_from);
  options.proxy_header_ms = own.proxy_header_timeout_ms;
  const auto each = static_cast<double>(own.exchanges_per_address_per_minute);
  const auto all = static_cast<double>(own.exchanges_per_minute);
  options.rates.connections = {each / 60, each};
  options.rates.connections_in_all = {all / 60, all};
  auto opened = picket::enrollment_port::open(options, enroller, counts, log);
  if (!opened) return tl::unexpected<error>(opened.error());
  enrollment = std::move(*opened);
  return {};
}

result<void> node::parts::open_http() {
  facade = make_facade(*this);
  if (auto made = ensure_certificate(settings.api.tls, name, *log); !made) return made;
  auto token = api::load_or_make_token(settings.api.token_file.string());
  if (!token) return tl::unexpected<error>(token.error());
  auto where = endpoint_of(settings.api.listen, "api.listen");
  if (!where) return tl::unexpected<error>(where.error());
  api::api_options options;
  options.token = *token;
  options.http.where = *where;
  options.http.certificate_file = settings.api.tls.certificate.string();
  options.http.key_file = settings.api.tls.key.string();
  options.http.threads = static_cast<unsigned>(settings.api.threads);
  options.http.on_refused = [to = log, figures = counts](std::string_view reason, const std::string& peer) {
    figures->http_refused_total.add_for(reason);
    to->write(log_event::http_refused, {{"reason", reason}, {"peer", peer}});
  };
  auto serving = api::start_api(options, facade, counts);
  if (!serving) return tl::unexpected<error>(serving.error());
  admin = std::move(*serving);
  auto health_where = endpoint_of(settings.health.listen, "health.listen");
  if (!health_where) return tl::unexpected<error>(health_where.error());
  api::http_options plain;
  plain.where = *health_where;
  plain.threads = static_cast<unsigned>(settings.health.threads);
  plain.body_limit_bytes = 64 * 1024; // nobody has to send one
  plain.on_refused = options.http.on_refused;
  auto health_serving = api::start_health(
      plain, {[this] { return not_ready_for_ingest(); }, [this] { return not_ready_for_control(); }}, counts);
  if (!health_serving) return tl::unexpected<error>(health_serving.error());
  health = std::move(*health_serving);
  return {};
}

result<void> node::parts::begin() {
  started_ms = wall_clock_ms();
  spawn_monitor();
  watch_parts();
  auto resumed = intake->resume();
  const auto& found = pool->recovery();
  auto damaged = overflow_files ? overflow_files->recovery().damaged : 0;
  if (damaged > 0) counts->overflow_damaged_batches_total.add(static_cast<double>(damaged));
  if (resumed > 0 || found.torn_headers > 0 || found.broken_chains > 0 || damaged > 0)
    log->write(log_event::batches_recovered, {{"batches", resumed},
                                              {"torn_headers", found.torn_headers},
                                              {"broken_chains", found.broken_chains},
                                              {"damaged_in_overflow", damaged}});
  intake->take(agent_id{0}, "wazuh-monitord", "ossec: Manager started.");
  auto started = agents->start();
  if (!started) return started;
  log->write(log_event::node_started,
             {{"version", PICKET_VERSION},
              {"agents", net::to_string(agents->where())},
              {"enrollment", enrollment ? net::to_string(enrollment->where()) : std::string{"off"}},
              {"api", net::to_string(admin->where())},
              {"health", net::to_string(health->where())},
              {"agent_check", agent_check ? net::to_string(agent_check->where()) : std::string{"off"}}});
  return {};
}

} // namespace picket
