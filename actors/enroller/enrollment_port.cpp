#include "actors/enroller/enrollment_port.hpp"

#include <algorithm>

#include <caf/send.hpp>

#include "net/provisional.hpp"
#include "protocol/enrollment/request.hpp"

namespace picket {

namespace {

/// Connections that have not made their request.
using idle_exchanges = net::provisional_connections<net::ip_address, net::ip_address_hash>;

/// What the exchanges of the port share.
struct exchange_context {
  enroller_actor enroller;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
  std::shared_ptr<idle_exchanges> idle;
  std::shared_ptr<net::address_guard> addresses;
  std::shared_ptr<refusal_tally> refusals;
  std::int64_t limit_ms = 0;
};

/// One exchange: waits for the line end, hands the line over, writes the answer, ends.
class exchange_connection final : public net::connection_handler {
public:
  exchange_connection(std::shared_ptr<const exchange_context> context, idle_exchanges::ticket place)
      : context_{std::move(context)}
      , idle_{place} {}

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
    context_->idle->leave(idle_);
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
    caf::anon_send(context_->enroller, enroll_atom_v, exchange_ptr{std::move(exchange)});
    return bytes.size();
  }

  void on_closed(net::connection& from, net::close_reason reason) override {
    context_->idle->leave(idle_);
    context_->counts->enrollment_closed_total.add_for(net::name_of(reason));
    if (reason == net::close_reason::tls)
      context_->log->write(log_event::enrollment_tls_failed, {{"peer", net::to_string(from.peer())}});
  }

private:
  std::shared_ptr<const exchange_context> context_;
  idle_exchanges::ticket idle_;
  bool asked_ = false;
};

std::shared_ptr<exchange_connection> make_exchange(const std::shared_ptr<const exchange_context>& context,
                                                   net::connection& fresh) {
  const auto& from = fresh.peer().address;
  bool displaced = false;
  auto place = context->idle->enter(net::limit_key(from), net::closer(fresh), displaced);
  if (displaced) context->refusals->note(net::refusal::unverified, from, fresh.thread().now_ms());
  fresh.set_deadline(context->limit_ms);
  return std::make_shared<exchange_connection>(context, place);
}

} // namespace

result<std::unique_ptr<enrollment_port>> enrollment_port::open(enrollment_port_options options,
                                                               enroller_actor enroller,
                                                               std::shared_ptr<const metrics> counts,
                                                               std::shared_ptr<event_log> log) {
  std::unique_ptr<enrollment_port> self{new enrollment_port};
  auto thread = net::io_thread::create("enroll");
  if (!thread) return tl::unexpected<error>(thread.error());
  self->thread_ = std::move(*thread);
  auto* at = self->thread_.get();
  auto context = std::make_shared<exchange_context>();
  context->enroller = std::move(enroller);
  context->counts = counts;
  context->log = log;
  context->idle = std::make_shared<idle_exchanges>(net::provisional_limits{options.max_exchanges, 0, 0});
  context->addresses = std::make_shared<net::address_guard>(options.rates);
  context->refusals = std::make_shared<refusal_tally>("enrollment", counts,
                                                      &metrics::enrollment_refused_connections_total, log);
  context->limit_ms = options.exchange_limit_ms;
  net::listener::options listen;
  listen.where = options.where;
  listen.tls = options.tls;
  listen.proxies = options.proxies;
  listen.proxy_header_ms = options.proxy_header_ms;
  self->limits_ =
      std::make_shared<net::connection_limits>(options.max_exchanges, options.max_exchanges_per_address);
  listen.limits = self->limits_;
  listen.admit = [context, at](const net::ip_address& from) {
    return context->addresses->on_connect(from, at->now_ms());
  };
  listen.make_room = [context, at](const net::ip_address& from) {
    if (!context->idle->end_oldest()) return false;
    context->refusals->note(net::refusal::unverified, from, at->now_ms());
    return true;
  };
  listen.on_refused = [context, at](net::refusal reason, const net::ip_address& from) {
    context->refusals->note(reason, from, at->now_ms());
  };
  std::shared_ptr<const exchange_context> shared = context;
  auto opened = net::listener::open(
      *self->thread_, listen, [shared](net::connection& fresh) { return make_exchange(shared, fresh); });
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
