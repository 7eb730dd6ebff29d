#include "actors/peer/peer_connection.hpp"

#include <algorithm>

namespace picket::peer {

using namespace protocol::peer;

namespace {

std::string why_closed(const net::connection& which, net::close_reason reason) {
  auto why = std::string{net::name_of(reason)};
  auto tls = which.tls_failure();
  return tls.empty() ? why : why + ": " + tls;
}

bool have_common_version(const hello& one, const hello& other) {
  return std::max(one.oldest, other.oldest) <= std::min(one.newest, other.newest);
}

} // namespace

peer_connection::peer_connection(connection_owner& owner, std::uint32_t expected)
    : owner_{&owner}
    , expected_{expected} {}

void peer_connection::open(std::shared_ptr<net::connection> over, std::int64_t limit_ms) {
  owned_ = std::move(over);
  accept(*owned_, limit_ms);
  owned_->open(shared_from_this());
}

void peer_connection::accept(net::connection& over, std::int64_t limit_ms) {
  over_ = &over;
  over.set_deadline(std::max<std::int64_t>(limit_ms, 1));
}

bool peer_connection::can_take() const noexcept {
  return state_ == state::up && over_ != nullptr && over_->is_open() && over_->unsent_bytes() == 0;
}

bool peer_connection::send(const std::string& frame) { return over_ != nullptr && over_->send(frame); }

std::int64_t peer_connection::last_byte_ms() const noexcept {
  return over_ == nullptr ? 0 : over_->last_byte_ms();
}

void peer_connection::finish(const std::string& why) {
  if (state_ == state::over) return;
  state_ = state::over;
  auto* owner = std::exchange(owner_, nullptr);
  if (owner != nullptr) owner->on_gone(*this, why);
}

void peer_connection::end(close_cause cause, const std::string& text) {
  if (state_ == state::over) return;
  cause_ = cause;
  auto keep = shared_from_this();
  auto* over = over_;
  // The owner first: it is told why, before the socket's own end says less.
  finish(text.empty() ? std::string{name_of(cause)} : std::string{name_of(cause)} + ": " + text);
  if (over == nullptr || !over->is_open()) return;
  over->send(encode(close{cause, text}));
  over->close();
}

void peer_connection::forget_owner() {
  auto keep = shared_from_this();
  owner_ = nullptr;
  state_ = state::over;
  if (over_ != nullptr) over_->close();
}

void peer_connection::on_ready(net::connection& from) {
  auto keep = shared_from_this();
  auto facts = owner_->identify(from.peer_certificate());
  if (!facts) {
    bool removed = facts.error().code == errc::not_a_member;
    return end(removed ? close_cause::not_member : close_cause::other, facts.error().what);
  }
  facts_ = std::move(*facts);
  if (expected_ != 0 && facts_.node != expected_)
    return end(close_cause::wrong_node, "this address is that of node " + std::to_string(facts_.node));
  state_ = state::greeting;
  if (expected_ != 0) send(encode(owner_->own_hello()));
}

std::size_t peer_connection::on_data(net::connection&, byte_view bytes) {
  auto keep = shared_from_this();
  if (state_ == state::over) return bytes.size();
  auto fed = cutter_.feed(as_text(bytes), [this](const frame& one) { return take(one); });
  if (!fed) end(close_cause::bad_frame, fed.error().what);
  return bytes.size();
}

bool peer_connection::take(const frame& one) {
  auto read = decode(one);
  bool known = read && read->has_value();
  if (owner_ != nullptr && state_ == state::up)
    owner_->on_frame(*this, one.type, frame_length_bytes + frame_head_bytes + one.body.size(), known);
  if (!read) {
    end(close_cause::bad_frame, read.error().what);
    return false;
  }
  if (*read) return take(std::move(**read));
  if (state_ == state::up) return true;
  end(close_cause::bad_frame, "the first frame is no hello");
  return false;
}

bool peer_connection::take(message&& what) {
  if (auto* end_of_it = std::get_if<close>(&what)) {
    auto* over = over_;
    cause_ = end_of_it->cause;
    by_them_ = true;
    finish("closed by the other node: " + std::string{name_of(end_of_it->cause)}
           + (end_of_it->text.empty() ? "" : ": " + end_of_it->text));
    if (over != nullptr) over->close();
    return false;
  }
  bool is_hello = std::holds_alternative<hello>(what);
  if (is_hello != (state_ == state::greeting)) {
    end(close_cause::bad_frame, is_hello ? "a second hello" : "the first frame is no hello");
    return false;
  }
  if (is_hello) return take_hello(std::get<hello>(std::move(what)));
  if (auto* piece = std::get_if<part>(&what)) return take_part(std::move(*piece));
  owner_->on_message(*this, std::move(what));
  return state_ == state::up;
}

bool peer_connection::take_part(part&& piece) {
  auto whole = parts_.take(std::move(piece));
  if (!whole) {
    end(close_cause::bad_frame, whole.error().what);
    return false;
  }
  if (!*whole) return true;
  auto read = decode({(*whole)->version, (*whole)->type, (*whole)->body});
  if (!read) {
    end(close_cause::bad_frame, read.error().what);
    return false;
  }
  return *read ? take(std::move(**read)) : true;
}

bool peer_connection::take_hello(hello&& theirs) {
  greeting_ = std::move(theirs);
  const auto& own = owner_->own_hello();
  std::optional<close_cause> refused;
  std::string text;
  if (greeting_.cluster != own.cluster)
    refused = close_cause::wrong_cluster;
  else if (greeting_.node != facts_.node)
    refused = close_cause::wrong_node;
  else if (!have_common_version(greeting_, own)) {
    refused = close_cause::no_common_version;
    text = "this node speaks " + std::to_string(own.oldest) + " to " + std::to_string(own.newest);
  } else
    refused = owner_->admit(*this);
  if (state_ == state::over) return false; // the owner has ended it
  if (refused) {
    end(*refused, text);
    return false;
  }
  over_->set_deadline(0);
  if (expected_ == 0) send(encode(own));
  state_ = state::up;
  owner_->on_up(*this);
  return state_ == state::up;
}

void peer_connection::on_drained(net::connection&) {
  if (state_ == state::up) owner_->on_writable(*this);
}

void peer_connection::on_closed(net::connection& from, net::close_reason reason) {
  auto keep = shared_from_this();
  over_ = nullptr;
  finish(why_closed(from, reason));
  owned_.reset();
}

} // namespace picket::peer
