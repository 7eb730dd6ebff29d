#pragma once

#include <cstdint>
#include <string>

namespace picket::engine {

/// The two time stamps of alerts, written once a second.
class moment_texts {
public:
  /// "2026-11-24T13:46:46.756+0000" (events-and-alerts.md 10.1).
  void append_json(std::string& to, std::int64_t epoch_ms, std::int32_t utc_offset_s);
  /// "2026 Nov 24 13:46:46" (11.1).
  void append_text(std::string& to, std::int64_t epoch_ms, std::int32_t utc_offset_s);

private:
  void update(std::int64_t epoch_s, std::int32_t utc_offset_s);

  bool known_ = false;
  std::int64_t epoch_s_ = 0;
  std::int32_t utc_offset_s_ = 0;
  std::string json_; ///< up to the seconds
  std::string zone_;
  std::string text_;
};

} // namespace picket::engine
