#include "node/picketd/node.hpp"

#include <chrono>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "base/time.hpp"
#include "node/picketd/descriptors.hpp"
#include "node/picketd/identity.hpp"
#include "node/picketd/parts.hpp"

namespace picket {

namespace {

/// Asks an actor on the way down; false if it does not answer in time.
template <class Handle, class Atom>
bool ask(caf::actor_system& system, const Handle& who, Atom what, std::int64_t limit_ms) {
  if (!who || limit_ms <= 0) return false;
  bool fine = false;
  caf::scoped_actor self{system};
  self->request(who, std::chrono::milliseconds{limit_ms}, what)
      .receive([&](bool answer) { fine = answer; }, [](const caf::error&) {});
  return fine;
}

} // namespace

node::node(std::unique_ptr<parts> made)
    : parts_{std::move(made)} {}
node::~node() { stop(); }

result<std::unique_ptr<node>> node::start(const config::settings& settings, std::shared_ptr<event_log> log,
                                          std::function<void()> on_failure) {
  auto made = std::make_unique<parts>();
  made->settings = settings;
  made->log = std::move(log);
  fit_to_descriptors(made->settings, *made->log);
  made->watching = std::make_shared<part_watch>(made->log, std::move(on_failure));
  made->own_counts = std::make_shared<metrics>();
  made->counts = made->own_counts;
  made->name = settings.node.name.empty() ? host_name() : settings.node.name;
  made->requests = std::make_shared<std::atomic<std::uint64_t>>(0);
  if (auto done = made->open_stores(); !done) return tl::unexpected<error>(done.error());
  if (auto done = made->load_rules(); !done) return tl::unexpected<error>(done.error());
  made->spawn_state_actors();
  made->open_intake();
  if (auto done = made->open_sink(); !done) return tl::unexpected<error>(done.error());
  made->spawn_examiner();
  made->spawn_analysis();
  made->spawn_membership();
  if (auto done = made->open_agent_port(); !done) return tl::unexpected<error>(done.error());
  if (auto done = made->open_enrollment(); !done) return tl::unexpected<error>(done.error());
  if (auto done = made->open_http(); !done) return tl::unexpected<error>(done.error());
  if (auto done = made->open_agent_check(); !done) return tl::unexpected<error>(done.error());
  if (auto done = made->begin(); !done) return tl::unexpected<error>(done.error());
  return std::unique_ptr<node>{new node{std::move(made)}};
}

bool node::stop() {
  auto& p = *parts_;
  if (p.stopping.exchange(true)) return true;
  p.watching->expect_the_end();
  p.log->write(log_event::node_stopping);
  auto until_ms = steady_clock_ms() + p.settings.node.stop_timeout_s * 1000;
  auto left_ms = [&] { return until_ms - steady_clock_ms(); };
  // The source first: no new agents, no new records.
  if (p.enrollment) p.enrollment->stop();
  bool all_read = ask(*p.system, p.listener, stop_atom_v, left_ms());
  // Then what is on its way, then the disk.
  bool drained = ask(*p.system, p.dispatcher->handle, drain_atom_v, left_ms());
  // A session may have handed in a last notice meanwhile.
  if (drained && p.intake->oldest_arrival_ms())
    drained = ask(*p.system, p.dispatcher->handle, drain_atom_v, left_ms());
  bool synced = ask(*p.system, p.sink, flush_atom_v, std::max<std::int64_t>(left_ms(), 1'000));
  ask(*p.system, p.membership, flush_atom_v, std::max<std::int64_t>(left_ms(), 1'000));
  if (p.admin) p.admin->stop();
  if (p.health) p.health->stop();
  if (p.agent_check) p.agent_check->stop();
  auto oldest = p.intake->oldest_arrival_ms();
  bool analysed = drained && synced && !oldest;
  p.log->write(log_event::node_stopped,
               {{"finished", analysed ? "all" : "the rest is in the pool"},
                {"connections", all_read ? "read to their end" : "not all read to their end"}});
  p.log->flush();
  return all_read && analysed;
}

bool node::failed() const { return parts_->watching->failed(); }

net::endpoint node::agent_port() const { return parts_->agents->where(); }
net::endpoint node::enrollment_port() const {
  return parts_->enrollment ? parts_->enrollment->where() : net::endpoint{};
}
net::endpoint node::api_port() const { return parts_->admin->where(); }
net::endpoint node::health_port() const { return parts_->health->where(); }

node::parts::~parts() {
  // Whoever calls in goes first, then the actors, then what they used.
  if (admin) admin->stop();
  if (health) health->stop();
  if (agent_check) agent_check->stop();
  if (enrollment) enrollment->stop();
  if (agents) agents->stop();
  watching->expect_the_end();
  if (!system) return;
  end_monitor();
  auto end = [](auto& handle) {
    if (handle) caf::anon_send_exit(handle, caf::exit_reason::kill);
    handle = nullptr;
  };
  end(listener);
  end(enroller);
  end(membership);
  if (dispatcher) end(dispatcher->handle);
  if (spill) end(spill->handle);
  end(sink);
  end(examiner);
  end(registry);
  // Sessions of connections that were cut off are known to nobody else, and their handles must not outlive
  // the system.
  if (sessions)
    for (auto& session : sessions->clear())
      caf::anon_send_exit(session, caf::exit_reason::kill);
}

} // namespace picket
