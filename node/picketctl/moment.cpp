#include "node/picketctl/moment.hpp"

#include <ctime>

namespace picket::ctl {

result<std::int64_t> parse_moment(const std::string& text) {
  bool utc = !text.empty() && text.back() == 'Z';
  auto bare = utc ? text.substr(0, text.size() - 1) : text;
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"}) {
    std::tm parts{};
    parts.tm_isdst = -1;
    const char* end = ::strptime(bare.c_str(), form, &parts);
    if (end == nullptr || *end != '\0') continue;
    return static_cast<std::int64_t>(utc ? ::timegm(&parts) : std::mktime(&parts)) * 1'000;
  }
  return fail(errc::invalid_argument, "'" + text + "' is no moment", {},
              "write it like 2025-06-04T12:00:00, with a Z at the end for UTC");
}

} // namespace picket::ctl
