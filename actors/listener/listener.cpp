#include "actors/listener/listener.hpp"

#include <chrono>
#include <thread>

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"

namespace picket {

result<std::shared_ptr<agent_port>> agent_port::open(const agent_port_options& options,
                                                     std::shared_ptr<const port_context> context) {
  std::shared_ptr<agent_port> self{new agent_port};
  self->refusals_ = context->refusals;
  self->limits_ =
      std::make_shared<net::connection_limits>(options.max_connections, options.max_connections_per_address);
  net::listener::options listen;
  listen.where = options.where;
  listen.limits = self->limits_;
  listen.backlog = options.backlog;
  listen.connections = options.connections;
  listen.proxies = options.proxies;
  listen.proxy_header_ms = options.proxy_header_ms;
  listen.shared_port = options.io_threads > 1;
  if (listen.shared_port) {
    // A shared port would also be shared with another process without a word: look first whether it is free.
    auto probe_thread = net::io_thread::create("probe");
    if (!probe_thread) return tl::unexpected<error>(probe_thread.error());
    auto alone = listen;
    alone.shared_port = false;
    auto probe = net::listener::open(**probe_thread, alone, [](net::connection&) { return nullptr; });
    if (!probe) return tl::unexpected<error>(probe.error());
  }
  for (unsigned slot = 0; slot < options.io_threads; ++slot) {
    auto thread = net::io_thread::create("agents-" + std::to_string(slot));
    if (!thread) return tl::unexpected<error>(thread.error());
    listen.admit = [context, at = thread->get()](const net::ip_address& from) {
      return context->addresses->on_connect(from, at->now_ms());
    };
    listen.on_refused = [context, at = thread->get()](net::refusal reason, const net::ip_address& from) {
      context->refusals->note(reason, from, at->now_ms());
    };
    listen.make_room = [context, at = thread->get()](const net::ip_address& from) {
      if (!context->unverified->end_oldest()) return false;
      context->refusals->note(net::refusal::unverified, from, at->now_ms());
      return true;
    };
    auto opened = net::listener::open(**thread, listen, [context](net::connection& fresh) {
      return make_agent_connection(context, fresh);
    });
    if (!opened) return tl::unexpected<error>(opened.error());
    listen.where = (*opened)->where(); // with port 0 the others share what the first one got
    self->threads_.push_back(std::move(*thread));
    self->listeners_.push_back(std::move(*opened));
  }
  return self;
}

agent_port::~agent_port() { stop(); }

result<void> agent_port::start() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->start();
    result<void> started;
    threads_[i]->run([&] { started = listeners_[i]->start(); });
    if (!started) return started;
  }
  return {};
}

std::size_t agent_port::half_close_all(std::size_t thread) {
  std::size_t open = 0;
  listeners_[thread]->for_each([&](net::connection& connection) {
    connection.half_close();
    ++open;
  });
  return open;
}

bool agent_port::end_connections(std::size_t thread) {
  bool all = true;
  listeners_[thread]->for_each([&](net::connection& connection) {
    bool nothing_more = connection.read_what_is_there();
    // What was read from a paused connection waits for room; it must not be thrown away.
    if (connection.is_open() && (connection.paused() || !nothing_more))
      all = false;
    else
      connection.close();
  });
  return all;
}

/// The same step on all threads before the next one anywhere: an agent that one thread has sent away must not
/// find another that still takes it.
bool agent_port::stop() {
  std::lock_guard lock{stopping_};
  if (stopped_) return all_read_;
  stopped_ = true;
  for (std::size_t i = 0; i < threads_.size(); ++i)
    threads_[i]->run([&] { listeners_[i]->stop(); });
  say_farewell();
  all_read_ = read_to_the_end();
  for (auto& thread : threads_)
    thread->stop();
  return all_read_;
}

void agent_port::say_farewell() {
  std::size_t open = 1;
  for (auto until_ms = steady_clock_ms() + farewell_limit_ms; open > 0 && steady_clock_ms() < until_ms;) {
    open = 0;
    for (std::size_t i = 0; i < threads_.size(); ++i)
      threads_[i]->run([&] { open += half_close_all(i); });
    if (open > 0) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
}

bool agent_port::read_to_the_end() {
  std::vector<bool> ended(threads_.size(), false);
  bool all = false;
  auto until_ms = steady_clock_ms() + last_read_limit_ms;
  // At least once for each thread, whatever the time.
  do {
    all = true;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      bool done = ended[i];
      if (!done && !threads_[i]->run([&] { done = end_connections(i); })) done = true; // it never served
      ended[i] = done;
      all = all && done;
    }
    if (!all) std::this_thread::sleep_for(std::chrono::milliseconds{20});
  } while (!all && steady_clock_ms() < until_ms);
  return all;
}

void listener_state::on_changes(const registry::registry_changes& changes) {
  for (const auto& row : changes.rows) {
    if (row.table != store::registry_table::agents) continue;
    auto id = store::agent_of(row.key);
    auto bound = setup.sessions->by_agent(id);
    if (row.row) {
      if (!bound) continue;
      auto agent = protocol::decode_agent_row(*row.row);
      if (agent && agent->registration == bound->link->registration()) continue;
    }
    if (bound) bound->link->close(net::close_reason::by_us);
    if (!row.row) setup.sessions->forget(id);
  }
}

listener_actor::behavior_type listener(listener_actor::stateful_pointer<listener_state> self,
                                       listener_setup setup) {
  name_thread("listener");
  self->state.setup = std::move(setup);
  self->send(self->state.setup.registry, subscribe_atom_v, caf::actor_cast<registry_subscriber_actor>(self));
  return {
      [self](changed_atom, const registry::changes_ptr& changes) { self->state.on_changes(*changes); },
      [self](stop_atom) { return self->state.setup.port->stop(); },
      [self](status_atom) {
        const auto& from = self->state.setup;
        return listener_status{from.port->connections(), from.sessions->size(), from.port->refused()};
      },
  };
}

} // namespace picket
