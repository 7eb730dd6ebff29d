#include "net/provisional.hpp"

namespace picket::net {

std::function<void()> closer(connection& which) {
  return [weak = which.weak_from_this(), thread = &which.thread()] {
    auto close = [weak] {
      auto still = weak.lock();
      if (still && still->is_open()) still->close(close_reason::by_us);
    };
    if (thread->on_this_thread())
      close();
    else
      thread->post_unlimited(close);
  };
}

} // namespace picket::net
