#include "store/journal/journal_order.hpp"

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include <fcntl.h>
#include <unistd.h>

namespace picket::store {

namespace {

namespace fs = std::filesystem;

/// Far above what `lines_max` names take.
constexpr std::size_t bytes_max = 16 * 1024 * 1024;

class open_file {
public:
  open_file(const fs::path& path, int flags)
      : fd_{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0640)} {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  int fd() const noexcept { return fd_; }

private:
  int fd_;
};

result<void> append_all(disk_calls& disk, int fd, std::string_view bytes, const fs::path& where) {
  while (!bytes.empty()) {
    auto written = disk.append(fd, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return disk_error("cannot write the journal's list of files", errno, where);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (disk.sync(fd) != 0)
    return disk_error("cannot force the journal's list of files to the disk", errno, where);
  return {};
}

} // namespace

result<journal_order> journal_order::read(const journal_output& output) {
  journal_order order{output};
  auto path = output.order_file();
  open_file file{path, O_RDONLY};
  if (file.fd() < 0 && errno == ENOENT) return order;
  if (file.fd() < 0) return disk_error("cannot open the journal's list of files", errno, path);
  std::string text;
  char block[65'536];
  while (text.size() < bytes_max) {
    auto got = ::read(file.fd(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return disk_error("cannot read the journal's list of files", errno, path);
    if (got == 0) break;
    text.append(block, static_cast<std::size_t>(got));
  }
  std::string_view rest = text;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    auto name = rest.substr(0, end);
    if (parse_part_name(output, name)) order.names_.emplace_back(name);
    rest.remove_prefix(end + 1);
  }
  return order;
}

result<void> journal_order::append(const std::string& name, disk_calls& disk) { return adopt({name}, disk); }

result<void> journal_order::adopt(const std::vector<std::string>& names, disk_calls& disk) {
  auto all = names_;
  std::unordered_set<std::string> known{all.begin(), all.end()};
  for (const auto& name : names)
    if (known.insert(name).second) all.push_back(name);
  if (all.size() > lines_max) all.erase(all.begin(), all.end() - static_cast<long>(lines_max / 2));
  return replace(std::move(all), disk);
}

/// Under another name first: a file is begun seldom, and so the list is whole at every moment.
result<void> journal_order::replace(std::vector<std::string> names, disk_calls& disk) {
  auto path = output_.order_file();
  auto fresh = path;
  fresh += ".new";
  std::string text;
  for (const auto& name : names)
    text += name + "\n";
  {
    open_file file{fresh, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC};
    if (file.fd() < 0) return disk_error("cannot open the journal's list of files", errno, fresh);
    if (auto done = append_all(disk, file.fd(), text, fresh); !done) return done;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return disk_error("cannot replace the journal's list of files", errno, path);
  names_ = std::move(names);
  return {};
}

std::optional<unsigned> journal_order::greatest_part(const journal_output& output, std::int64_t day) const {
  std::optional<unsigned> greatest;
  for (const auto& name : names_) {
    auto part = parse_part_name(output, name);
    if (part && part->day == day && (!greatest || part->part > *greatest)) greatest = part->part;
  }
  return greatest;
}

std::optional<std::string> journal_order::behind(const std::string& name) const {
  auto found = std::find(names_.rbegin(), names_.rend(), name);
  if (found == names_.rend() || found == names_.rbegin()) return std::nullopt;
  return *std::prev(found);
}

bool journal_order::has(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

} // namespace picket::store
