#include "protocol/peer/guard.hpp"

namespace picket::protocol::peer {

namespace {

/// Walks the value without making anything of it.
class counting_visitor : public msgpack::null_visitor {
public:
  bool start_array(std::uint32_t count) { return open(count, count); }
  bool end_array() { return leave(); }
  bool start_map(std::uint32_t count) { return open(count, std::size_t{count} * 2); }
  bool end_map() { return leave(); }
  void parse_error(std::size_t, std::size_t) { broken_ = true; }
  void insufficient_bytes(std::size_t, std::size_t) { broken_ = true; }
  bool referenced() const { return true; }
  void set_referenced(bool) {}
  bool broken() const { return broken_; }

private:
  bool open(std::size_t count, std::size_t values) {
    // The greatest counts come first: nothing is added to `all_` that could wrap it.
    if (count > max_elements || ++depth_ > max_depth) return false;
    all_ += values;
    return all_ <= max_elements_all;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::size_t all_ = 0;
  bool broken_ = false;
};

} // namespace

std::optional<msgpack::object_handle> unpack_guarded(std::string_view bytes) noexcept {
  try {
    counting_visitor visitor;
    std::size_t end = 0;
    bool parsed = msgpack::parse(bytes.data(), bytes.size(), end, visitor);
    if (!parsed || visitor.broken() || end != bytes.size()) return std::nullopt;
    auto point_into = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    std::size_t offset = 0;
    return msgpack::unpack(bytes.data(), bytes.size(), offset, point_into);
  } catch (...) { // the library reports bad input by an exception
    return std::nullopt;
  }
}

} // namespace picket::protocol::peer
