#include "actors/enroller/enrollment_port.hpp"

#include <algorithm>

#include <caf/send.hpp>

#include "protocol/enrollment/request.hpp"

namespace picket {

namespace {

/// One exchange: waits for the line end, hands the line over, writes the answer, ends.
class exchange_connection final : public net::connection_handler {
public:
  exchange_connection(enroller_actor enroller, std::shared_ptr<const metrics> counts,
                      std::shared_ptr<event_log> log)
      : enroller_{std::move(enroller)}
      , counts_{std::move(counts)}
      , log_{std::move(log)} {}

  std::size_t on_data(net::connection& from, byte_view bytes) override {
    if (asked_) return bytes.size(); // only the first line counts
    auto text = as_text(bytes);
    auto end = text.find('\n');
    if (end == std::string_view::npos) {
      if (bytes.size() >= protocol::max_enrollment_request_bytes) from.close();
      return 0;
    }
    if (end + 1 > protocol::max_enrollment_request_bytes) {
      from.close();
      return 0;
    }
    asked_ = true;
    auto exchange = std::make_shared<enrollment_exchange>();
    exchange->line = std::string{text.substr(0, end)};
    exchange->source = from.peer().address;
    std::weak_ptr<net::connection> weak = from.shared_from_this();
    auto* thread = &from.thread();
    exchange->answer = [weak, thread](std::string answer) {
      thread->post([weak, answer = std::move(answer)] {
        auto connection = weak.lock();
        if (!connection || !connection->is_open()) return;
        connection->send(answer);
        connection->close_after_write();
      });
    };
    caf::anon_send(enroller_, enroll_atom_v, exchange_ptr{std::move(exchange)});
    return bytes.size();
  }

  void on_closed(net::connection& from, net::close_reason reason) override {
    counts_->enrollment_closed_total.add_for(net::name_of(reason));
    if (reason == net::close_reason::tls)
      log_->write(log_event::enrollment_tls_failed, {{"peer", net::to_string(from.peer())}});
  }

private:
  enroller_actor enroller_;
  std::shared_ptr<const metrics> counts_;
  std::shared_ptr<event_log> log_;
  bool asked_ = false;
};

} // namespace

result<std::unique_ptr<enrollment_port>> enrollment_port::open(enrollment_port_options options,
                                                               enroller_actor enroller,
                                                               std::shared_ptr<const metrics> counts,
                                                               std::shared_ptr<event_log> log) {
  std::unique_ptr<enrollment_port> self{new enrollment_port};
  auto thread = net::io_thread::create("enroll");
  if (!thread) return tl::unexpected<error>(thread.error());
  self->thread_ = std::move(*thread);
  net::listener::options listen;
  listen.where = options.where;
  listen.tls = options.tls;
  self->limits_ =
      std::make_shared<net::connection_limits>(options.max_exchanges, options.max_exchanges_per_address);
  listen.limits = self->limits_;
  auto limit_ms = options.exchange_limit_ms;
  auto opened = net::listener::open(*self->thread_, listen, [=](net::connection& fresh) {
    fresh.set_deadline(limit_ms);
    return std::make_shared<exchange_connection>(enroller, counts, log);
  });
  if (!opened) return tl::unexpected<error>(opened.error());
  self->listener_ = std::move(*opened);
  self->thread_->start();
  result<void> started;
  self->thread_->run([&] { started = self->listener_->start(); });
  if (!started) return tl::unexpected<error>(started.error());
  return self;
}

enrollment_port::~enrollment_port() { stop(); }

void enrollment_port::stop() {
  if (!thread_) return;
  thread_->run([this] {
    if (!listener_) return;
    listener_->stop();
    listener_->for_each([](net::connection& connection) { connection.close(); });
  });
  thread_->stop();
}

} // namespace picket
