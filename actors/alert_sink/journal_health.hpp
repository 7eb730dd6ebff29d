#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>

namespace picket {

/// How the sink gets on with the disk, for those who ask on other threads. Times are of the steady clock.
class journal_health {
public:
  struct view {
    std::int64_t failing_ms = 0; ///< it has been refused for so long; 0: it is fine
    std::int64_t busy_ms = 0;    ///< the call that runs now has taken so long
    std::string why;             ///< what the disk said last
    std::string file;            ///< where the next alert goes, below the journal's directory
  };

  /// Around each call that may wait for the disk.
  void begin(std::int64_t now_ms) {
    std::lock_guard lock{mutex_};
    busy_since_ms_ = now_ms;
    busy_ = true;
  }
  void end() {
    std::lock_guard lock{mutex_};
    busy_ = false;
  }
  void failed(std::int64_t since_ms, std::string why) {
    std::lock_guard lock{mutex_};
    failing_ = true;
    failing_since_ms_ = since_ms;
    why_ = std::move(why);
  }
  void fine() {
    std::lock_guard lock{mutex_};
    failing_ = false;
    why_.clear();
  }
  /// A file of alerts is what people look for, rather than one of archives.
  void writes_to(std::string file) {
    auto of_alerts = [](const std::string& name) { return name.find("alerts") != std::string::npos; };
    std::lock_guard lock{mutex_};
    if (of_alerts(file) || !of_alerts(file_)) file_ = std::move(file);
  }

  view look(std::int64_t now_ms) const {
    std::lock_guard lock{mutex_};
    view now;
    if (failing_) now.failing_ms = std::max<std::int64_t>(1, now_ms - failing_since_ms_);
    if (busy_) now.busy_ms = std::max<std::int64_t>(0, now_ms - busy_since_ms_);
    now.why = why_;
    now.file = file_;
    return now;
  }

private:
  mutable std::mutex mutex_;
  bool busy_ = false;
  bool failing_ = false;
  std::int64_t busy_since_ms_ = 0;
  std::int64_t failing_since_ms_ = 0;
  std::string why_;
  std::string file_;
};

} // namespace picket
