#include "node/picketctl/line_reader.hpp"

#include <istream>

namespace picket::ctl {

line_state read_line(std::istream& in, std::string& line, std::size_t bytes_max) {
  line.clear();
  auto* from = in.rdbuf();
  bool any = false;
  bool too_long = false;
  constexpr int end = std::char_traits<char>::eof();
  for (int c = from->sbumpc(); c != end; c = from->sbumpc()) {
    any = true;
    if (c == '\n') break;
    if (line.size() < bytes_max)
      line.push_back(static_cast<char>(c));
    else
      too_long = true;
  }
  if (!any) {
    in.setstate(std::ios::eofbit);
    return line_state::end;
  }
  if (!line.empty() && line.back() == '\r' && !too_long) line.pop_back();
  return too_long ? line_state::too_long : line_state::line;
}

} // namespace picket::ctl
