#include "actors/peer/peer_links.hpp"

#include <algorithm>

#include "actors/peer/pair_rule.hpp"
#include "base/time.hpp"

namespace picket::peer {

using namespace protocol::peer;

namespace {

/// Frames that one link sends before others have their turn.
constexpr int frames_at_once = 32;
/// So much of ours may wait in the kernel in front of a heartbeat.
constexpr int kernel_unsent_bytes = 32 * 1024;
/// A frame is handed to the connection when the one before it is gone; room for a `close` behind it.
constexpr std::size_t write_limit_bytes = 2 * (frame_length_bytes + max_frame_bytes);

lane lane_of(std::uint8_t type) noexcept {
  switch (static_cast<message_type>(type)) {
  case message_type::heartbeat:
  case message_type::hello:
  case message_type::close:
    return lane::heartbeat;
  case message_type::part:
    return lane::bulk;
  default:
    return lane::control;
  }
}

} // namespace

/// One other node. Exists from the first time that it is dialled or connects, until the end: as many as there
/// were members.
struct peer_links::link {
  link(std::uint32_t its_node, const link_options& options, std::function<void()> on_room)
      : node{its_node}
      , waiting{options.lanes, std::move(on_room)}
      , pauses{options.redials, options.seed * 2'654'435'761U + its_node} {}

  std::uint32_t node;
  std::optional<net::endpoint> where; ///< nothing: it is not dialled
  lanes waiting;
  redial pauses;
  std::shared_ptr<peer_connection> current; ///< up
  std::int64_t up_since_ms = 0;
  std::shared_ptr<net::dialer> dialing;
  std::shared_ptr<peer_connection> greeting; ///< dialled, and not up yet
  net::timer_id redial_timer = 0;
  net::timer_id pump_timer = 0;
  link_figures figures;

  bool is_dialling() const { return dialing || greeting; }
};

peer_links::peer_links(net::io_thread& thread, link_options options, member_lookup members,
                       link_events events)
    : thread_{thread}
    , options_{std::move(options)}
    , members_{std::move(members)}
    , events_{std::move(events)} {}

peer_links::~peer_links() = default;

net::connection_options peer_links::connection_options() const {
  net::connection_options opts;
  opts.write_limit_bytes = write_limit_bytes;
  opts.write_stuck_ms = options_.write_stuck_ms;
  opts.user_timeout_ms = options_.user_timeout_ms;
  opts.kernel_unsent_bytes = kernel_unsent_bytes;
  return opts;
}

result<std::unique_ptr<peer_links>> peer_links::open(net::io_thread& thread, link_options options,
                                                     member_lookup members, link_events events) {
  std::unique_ptr<peer_links> self{
      new peer_links{thread, std::move(options), std::move(members), std::move(events)}};
  auto server = net::tls_context::node_server(self->options_.tls);
  if (!server) return tl::unexpected<error>(server.error());
  auto client = net::tls_context::node_client(self->options_.tls);
  if (!client) return tl::unexpected<error>(client.error());
  self->client_tls_ = *client;
  net::listener::options opts;
  opts.where = self->options_.listen;
  opts.backlog = 256;
  opts.tls = *server;
  opts.connections = self->connection_options();
  opts.limits = std::make_shared<net::connection_limits>(self->options_.max_connections,
                                                         self->options_.max_connections_per_address);
  auto listening = net::listener::open(thread, opts, [links = self.get()](net::connection& fresh) {
    connection_owner& owner = *links;
    auto accepted = std::make_shared<peer_connection>(owner, 0);
    links->strangers_.emplace(accepted.get(), accepted);
    accepted->accept(fresh, links->options_.connect_ms);
    return accepted;
  });
  if (!listening) return tl::unexpected<error>(listening.error());
  self->listener_ = std::move(*listening);
  return self;
}

result<void> peer_links::start() {
  running_ = true;
  for (auto& [node, one] : links_)
    if (one->where) dial(*one);
  return listener_->start();
}

void peer_links::stop() {
  running_ = false;
  listener_->stop();
  for (auto& [node, one] : links_) {
    one->where.reset();
    stop_dialling(*one);
    if (one->pump_timer != 0) thread_.cancel(one->pump_timer);
    one->pump_timer = 0;
    if (auto current = one->current) current->end(close_cause::leaving, {});
  }
  auto strangers = std::move(strangers_);
  strangers_.clear();
  for (auto& [at, one] : strangers)
    one->forget_owner();
}

peer_links::link& peer_links::link_to(std::uint32_t node) {
  auto& place = links_[node];
  if (!place)
    place = std::make_unique<link>(node, options_, [this, node] {
      if (events_.room) events_.room(node);
    });
  return *place;
}

void peer_links::refused(std::uint32_t node, const std::string& why) {
  if (events_.refused) events_.refused(node, why);
}

// -- dialling --

void peer_links::set_peers(const std::map<std::uint32_t, net::endpoint>& peers) {
  for (const auto& [node, where] : peers)
    if (node != options_.own.node) link_to(node);
  for (auto& [node, one] : links_) {
    auto found = peers.find(node);
    auto wanted = found == peers.end() ? std::nullopt : std::optional{found->second};
    bool moved = wanted != one->where;
    one->where = wanted;
    if (!moved) continue;
    stop_dialling(*one);
    if (running_ && one->where && !one->current) dial(*one);
  }
}

void peer_links::stop_dialling(link& to) {
  if (to.redial_timer != 0) thread_.cancel(to.redial_timer);
  to.redial_timer = 0;
  if (auto dialing = std::exchange(to.dialing, nullptr)) dialing->cancel();
  if (auto greeting = std::exchange(to.greeting, nullptr)) greeting->forget_owner();
}

void peer_links::dial(link& to) {
  if (!running_ || !to.where || to.current || to.is_dialling()) return;
  net::dialer::options opts;
  opts.where = *to.where;
  opts.limit_ms = options_.connect_ms;
  opts.tls = client_tls_;
  opts.connections = connection_options();
  to.dialing =
      net::dialer::dial(thread_, opts, [this, node = to.node, began_ms = steady_clock_ms()](auto got) {
        dialled(node, began_ms, std::move(got));
      });
}

void peer_links::dialled(std::uint32_t node, std::int64_t began_ms,
                         result<std::shared_ptr<net::connection>> got) {
  auto& to = link_to(node);
  to.dialing.reset();
  if (!got) {
    ++failures_.dial;
    refused(node, to_string(got.error()));
    return dial_later(to, 0);
  }
  connection_owner& owner = *this;
  auto greeting = std::make_shared<peer_connection>(owner, node);
  to.greeting = greeting;
  // One limit for all: what TCP took is gone.
  greeting->open(*got, options_.connect_ms - (steady_clock_ms() - began_ms));
}

void peer_links::dial_later(link& to, std::int64_t stood_ms) {
  if (!running_ || !to.where || to.current || to.redial_timer != 0) return;
  to.redial_timer = thread_.after(to.pauses.next_pause_ms(stood_ms), [this, node = to.node] {
    auto& again = link_to(node);
    again.redial_timer = 0;
    dial(again);
  });
}

// -- what connections ask and tell --

result<net::certificate_facts> peer_links::identify(const std::string& certificate) {
  auto facts =
      net::check_certificate(certificate, options_.ca, options_.own.cluster, wall_clock_ms() / 1'000);
  if (facts) {
    auto member = members_(facts->node);
    auto known = member && facts->node != options_.own.node;
    auto fits = known ? net::check_member(*facts, *member)
                      : result<void>{fail(errc::not_a_member, "node " + std::to_string(facts->node)
                                                                  + " is no member of this cluster")};
    if (!fits) return tl::unexpected<error>(fits.error());
  }
  return facts;
}

std::optional<close_cause> peer_links::admit(peer_connection& which) {
  auto& to = link_to(which.node());
  auto own = options_.own.node;
  if (!which.dialled_by_us() && own < to.node && to.is_dialling()) {
    // Both dialled at once; the lower id's goes on.
    return close_cause::duplicate;
  }
  if (!to.current) return std::nullopt;
  auto dialler = [&](const peer_connection& one) { return one.dialled_by_us() ? own : to.node; };
  pair_connection stands{dialler(*to.current), to.current->greeting().boot};
  pair_connection fresh{dialler(which), which.greeting().boot};
  auto silent_ms = steady_clock_ms() - to.current->last_byte_ms();
  switch (which_to_keep(stands, fresh, silent_ms, std::min(own, to.node))) {
  case pair_verdict::newer:
    return std::nullopt;
  case pair_verdict::older_duplicate:
    return close_cause::duplicate;
  case pair_verdict::older_boot:
    return close_cause::superseded;
  }
  return close_cause::other;
}

void peer_links::on_up(peer_connection& which) {
  auto& to = link_to(which.node());
  auto self = which.shared_from_this();
  strangers_.erase(&which);
  if (to.greeting == self) to.greeting.reset();
  stop_dialling(to);
  if (auto old = std::exchange(to.current, self)) {
    bool restarted = old->greeting().boot != which.greeting().boot;
    to.waiting.clear();
    old->end(restarted ? close_cause::superseded : close_cause::duplicate, {});
  }
  to.up_since_ms = steady_clock_ms();
  ++to.figures.connected;
  if (events_.up) events_.up(to.node, which.greeting());
  pump(to);
}

void peer_links::on_message(peer_connection& which, message&& what) {
  if (events_.message) events_.message(which.node(), std::move(what));
}

void peer_links::on_frame(peer_connection& which, std::uint8_t type, std::size_t bytes, bool known) {
  auto& figures = link_to(which.node()).figures;
  auto& got = figures.got[static_cast<std::size_t>(lane_of(type))];
  ++got.frames;
  got.bytes += bytes;
  if (!known) ++figures.skipped_frames;
}

void peer_links::count_failure(const peer_connection& which) {
  if (!which.cause()) {
    ++(which.node() == 0 ? failures_.handshake : failures_.hello);
    return;
  }
  switch (*which.cause()) {
  case close_cause::duplicate:
  case close_cause::superseded:
    ++failures_.duplicate;
    break;
  case close_cause::other:
  case close_cause::not_member:
    ++failures_.untrusted;
    break;
  default:
    ++failures_.hello;
    break;
  }
}

void peer_links::on_gone(peer_connection& which, const std::string& why) {
  auto self = which.shared_from_this();
  strangers_.erase(&which);
  link* to = nullptr;
  for (auto& [node, one] : links_)
    if (one->greeting == self || one->current == self) to = one.get();
  if (to != nullptr && to->current == self) {
    to->current.reset();
    to->waiting.clear();
    ++failures_.lost;
    auto stood_ms = steady_clock_ms() - to->up_since_ms;
    auto said = which.ended_by_them() ? *which.cause() : close_cause::other;
    if (events_.down) events_.down(to->node, said, why);
    return dial_later(*to, stood_ms);
  }
  // One that was never up, or an older one whose place was taken.
  count_failure(which);
  refused(to != nullptr ? to->node : which.node(), why);
  if (to == nullptr) return;
  to->greeting.reset();
  dial_later(*to, 0);
}

// -- members, certificates --

void peer_links::check_members() {
  std::vector<std::pair<std::uint32_t, std::string>> gone;
  for (auto& [node, one] : links_) {
    if (!one->current) continue;
    auto member = members_(node);
    auto fits = member ? net::check_member(one->current->facts(), *member)
                       : result<void>{fail(errc::not_a_member, "the node is no member any more")};
    if (fits && one->current->facts().until_s < wall_clock_ms() / 1'000)
      fits = fail(errc::peer_untrusted, "its certificate has expired");
    if (!fits) gone.emplace_back(node, fits.error().what);
  }
  for (const auto& [node, why] : gone)
    cut(node, close_cause::not_member, why);
}

void peer_links::cut(std::uint32_t node, close_cause cause, const std::string& text) {
  auto found = links_.find(node);
  if (found == links_.end()) return;
  if (auto current = found->second->current) current->end(cause, text);
}

result<void> peer_links::renew(const net::node_tls_files& files) {
  auto server = net::tls_context::node_server(files);
  if (!server) return tl::unexpected<error>(server.error());
  auto client = net::tls_context::node_client(files);
  if (!client) return tl::unexpected<error>(client.error());
  options_.tls = files;
  client_tls_ = *client;
  listener_->set_tls(*server);
  return {};
}

// -- sending --

peer_links::put peer_links::put_in(std::uint32_t node, const std::function<bool(lanes&)>& how) {
  auto found = links_.find(node);
  if (found == links_.end() || !found->second->current) return put::not_connected;
  if (!how(found->second->waiting)) return put::busy;
  pump(*found->second);
  return put::taken;
}

peer_links::put peer_links::send_heartbeat(std::uint32_t node, const message& beat) {
  return put_in(node, [&](lanes& to) {
    to.put_heartbeat(beat);
    return true;
  });
}

peer_links::put peer_links::send_control(std::uint32_t node, const message& what) {
  return put_in(node, [&](lanes& to) { return to.put_control(what); });
}

peer_links::put peer_links::send_bulk(std::uint32_t node, const message& what) {
  return put_in(node, [&](lanes& to) { return to.put_bulk(what); });
}

void peer_links::on_writable(peer_connection& which) {
  auto& to = link_to(which.node());
  if (to.current.get() == &which) pump(to);
}

void peer_links::pump(link& to) {
  auto current = to.current;
  int sent = 0;
  while (current && current == to.current && current->can_take() && sent < frames_at_once) {
    auto frame = to.waiting.next();
    if (!frame) return;
    ++sent;
    // Broken, and not yet noticed: the end of it comes from the socket.
    if (!current->send(*frame)) return;
  }
  // Whatever else the thread has to do comes in between.
  if (sent == frames_at_once && to.pump_timer == 0)
    to.pump_timer = thread_.after(0, [this, node = to.node] {
      auto& again = link_to(node);
      again.pump_timer = 0;
      pump(again);
    });
}

// -- figures --

bool peer_links::is_up(std::uint32_t node) const {
  auto found = links_.find(node);
  return found != links_.end() && found->second->current;
}

std::vector<std::uint32_t> peer_links::up() const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, one] : links_)
    if (one->current) nodes.push_back(node);
  return nodes;
}

std::map<std::uint32_t, link_figures> peer_links::figures() const {
  std::map<std::uint32_t, link_figures> all;
  for (const auto& [node, one] : links_) {
    auto figures = one->figures;
    figures.up = one->current != nullptr;
    figures.up_for_ms = figures.up ? steady_clock_ms() - one->up_since_ms : 0;
    for (auto which : {lane::heartbeat, lane::control, lane::bulk})
      figures.sent[static_cast<std::size_t>(which)] = one->waiting.figures(which);
    all.emplace(node, figures);
  }
  return all;
}

} // namespace picket::peer
