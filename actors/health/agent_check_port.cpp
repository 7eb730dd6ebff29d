#include "actors/health/agent_check_port.hpp"

namespace picket {

namespace {

/// Answers when the asker is there, and drops what it may say.
class check_connection final : public net::connection_handler {
public:
  std::size_t on_data(net::connection&, byte_view bytes) override { return bytes.size(); }
};

std::shared_ptr<net::connection_handler> answer(net::connection& fresh, const agent_check_options& options,
                                                const metrics& counts) {
  auto line = agent_check_answer(options.why_not());
  counts.health_agent_checks_total.add_for(line.substr(0, line.size() - 1));
  fresh.set_deadline(agent_check_port::limit_ms);
  // Half-closed and then read to its end: a close over unread bytes of the asker could take the answer with
  // it.
  fresh.thread().post_unlimited([weak = fresh.weak_from_this(), line] {
    auto asker = weak.lock();
    if (!asker || !asker->is_open()) return;
    asker->send(line);
    asker->half_close();
  });
  return std::make_shared<check_connection>();
}

} // namespace

std::string_view agent_check_answer(const std::string& why_not) noexcept {
  return why_not.empty() ? "ready\n" : "drain\n";
}

result<std::unique_ptr<agent_check_port>> agent_check_port::open(agent_check_options options,
                                                                 std::shared_ptr<const metrics> counts) {
  std::unique_ptr<agent_check_port> self{new agent_check_port};
  auto thread = net::io_thread::create("agent-check");
  if (!thread) return tl::unexpected<error>(thread.error());
  self->thread_ = std::move(*thread);
  net::listener::options listen;
  listen.where = options.where;
  listen.backlog = static_cast<int>(max_connections);
  listen.limits = std::make_shared<net::connection_limits>(max_connections, 0);
  auto opened = net::listener::open(*self->thread_, listen, [options, counts](net::connection& fresh) {
    return answer(fresh, options, *counts);
  });
  if (!opened) return tl::unexpected<error>(opened.error());
  self->listener_ = std::move(*opened);
  self->thread_->start();
  result<void> started;
  self->thread_->run([&] { started = self->listener_->start(); });
  if (!started) return tl::unexpected<error>(started.error());
  return self;
}

agent_check_port::~agent_check_port() { stop(); }

void agent_check_port::stop() {
  if (!thread_) return;
  thread_->run([this] {
    if (!listener_) return;
    listener_->stop();
    listener_->for_each([](net::connection& connection) { connection.close(); });
  });
  thread_->stop();
}

} // namespace picket
