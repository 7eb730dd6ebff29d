#include "store/deadletter/deadletter_store.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_write.hpp"

namespace picket::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view extension = ".json";
constexpr std::size_t largest_file_bytes =
    2 * 1024 * 1024; // a message of 64 KiB as JSON and in hex, with room
constexpr std::size_t length_values = 65'536;

tl::unexpected<error> system_error(const char* doing, int number, const fs::path& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  return fail(code, std::string{doing} + ": " + system_text(number), where.string());
}

/// A descriptor that closes itself.
struct open_descriptor {
  int fd;
  ~open_descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

/// At most `limit` bytes from the beginning of a file.
result<std::string> read_begin(const fs::path& file, std::size_t limit) {
  open_descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (in.fd < 0) return system_error("cannot open a dead letter", errno, file);
  std::string text(limit, '\0');
  std::size_t got = 0;
  while (got < limit) {
    auto n = ::read(in.fd, text.data() + got, limit - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read a dead letter", errno, file);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

tl::unexpected<error> unknown(const std::string& id) {
  return fail(errc::letter_unknown, "there is no dead letter '" + id.substr(0, 80) + "'");
}

} // namespace

std::size_t deadletter_store::digest_hash::operator()(const text_digest& digest) const noexcept {
  std::size_t part = 0;
  std::memcpy(&part, digest.data(), sizeof part);
  return part;
}

deadletter_store::deadletter_store(fs::path directory, std::size_t limit)
    : directory_{std::move(directory)}
    , limit_{limit} {}

result<std::unique_ptr<deadletter_store>> deadletter_store::open(const fs::path& directory,
                                                                 std::size_t limit) {
  std::error_code problem;
  if (fs::create_directories(directory, problem); problem)
    return fail(errc::io, "cannot make the directory: " + problem.message(), directory.string());
  fs::permissions(directory, fs::perms::owner_all, problem);
  std::unique_ptr<deadletter_store> opened{new deadletter_store{directory, limit}};
  if (auto loaded = opened->load(); !loaded) return tl::unexpected<error>(loaded.error());
  return opened;
}

result<void> deadletter_store::load() {
  std::error_code problem;
  fs::directory_iterator files{directory_, problem};
  for (; !problem && files != fs::directory_iterator{}; files.increment(problem)) {
    const auto& path = files->path();
    auto name = path.filename().string();
    if (path.extension() == ".new") ::unlink(path.c_str()); // a crash came before its rename
    if (path.extension() != extension) continue;
    auto begin = read_begin(path, letter_head_bytes);
    auto head = begin ? parse_letter_head(*begin) : result<letter_head>{tl::unexpected(begin.error())};
    if (!head || head->id + std::string{extension} != name)
      ++unreadable_;
    else
      remember(*head);
  }
  if (problem) return fail(errc::io, "cannot read the directory: " + problem.message(), directory_.string());
  return {};
}

fs::path deadletter_store::file_of(const std::string& id) const {
  return directory_ / (id + std::string{extension});
}

result<void> deadletter_store::write_file(const dead_letter& letter) const {
  auto file = file_of(letter.head.id);
  auto fresh = file;
  fresh += ".new";
  ::unlink(fresh.c_str());
  {
    open_descriptor out{open_file(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600)};
    if (out.fd < 0) return system_error("cannot make a dead letter's file", errno, fresh);
    auto wrote = write_all(out.fd, format_letter(letter));
    int number = wrote.done() ? sync_file(out.fd) : wrote.error_number;
    if (number != 0) {
      ::unlink(fresh.c_str());
      return system_error("cannot write a dead letter", number, fresh);
    }
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    int number = errno;
    ::unlink(fresh.c_str());
    return system_error("cannot name a dead letter's file", number, file);
  }
  open_descriptor directory{::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.fd >= 0) ::fsync(directory.fd);
  return {};
}

result<void> deadletter_store::keep(const dead_letter& letter) {
  auto place = parse_letter_id(letter.head.id);
  if (!place) return fail(errc::internal, "a letter without an id");
  std::lock_guard files{files_mutex_};
  {
    std::lock_guard lock{mutex_};
    if (heads_.count(*place) > 0) return {};
    if (heads_.size() >= limit_)
      return fail(errc::store_full, "there are " + std::to_string(limit_) + " dead letters already",
                  directory_.string(), "raise limits.dead_letters, or 'picketctl deadletter drop'");
  }
  if (auto written = write_file(letter); !written) return written;
  auto head = letter.head;
  head.text_bytes = letter.text.size();
  head.digest = digest_of(letter.text);
  std::lock_guard lock{mutex_};
  remember(head);
  return {};
}

result<dead_letter> deadletter_store::read(const std::string& id) const {
  if (!find(id)) return unknown(id);
  auto bytes = read_begin(file_of(id), largest_file_bytes);
  if (!bytes) return tl::unexpected<error>(bytes.error());
  auto letter = parse_letter(*bytes);
  if (!letter) {
    auto why = letter.error();
    why.where = file_of(id).string();
    return tl::unexpected<error>(why);
  }
  return letter;
}

result<void> deadletter_store::drop(const std::string& id) {
  auto place = parse_letter_id(id);
  std::lock_guard files{files_mutex_};
  if (!place || !find(id)) return unknown(id);
  auto file = file_of(id);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT)
    return system_error("cannot remove a dead letter", errno, file);
  std::lock_guard lock{mutex_};
  auto at = heads_.find(*place);
  forget(at->second);
  heads_.erase(at);
  return {};
}

std::vector<letter_summary> deadletter_store::list(std::size_t offset, std::size_t count,
                                                   std::size_t& total) const {
  std::lock_guard lock{mutex_};
  total = heads_.size();
  std::vector<letter_summary> page;
  std::size_t at = 0;
  for (const auto& [place, head] : heads_) {
    if (at++ < offset) continue;
    if (page.size() >= count) break;
    page.push_back(summary_of(head));
  }
  return page;
}

std::optional<letter_summary> deadletter_store::find(const std::string& id) const {
  auto place = parse_letter_id(id);
  std::lock_guard lock{mutex_};
  auto at = place ? heads_.find(*place) : heads_.end();
  // `01-2-3` is the same place and no name of a file.
  if (at == heads_.end() || at->second.id != id) return std::nullopt;
  return summary_of(at->second);
}

std::vector<std::string> deadletter_store::ids() const {
  std::lock_guard lock{mutex_};
  std::vector<std::string> all;
  for (const auto& [place, head] : heads_)
    all.push_back(head.id);
  return all;
}

std::size_t deadletter_store::size() const {
  std::lock_guard lock{mutex_};
  return heads_.size();
}

letter_summary deadletter_store::summary_of(const letter_head& head) const {
  auto text = head.examined ? texts_.find(head.digest) : texts_.end();
  return {head, text == texts_.end() ? 0 : text->second.seen_again};
}

void deadletter_store::remember(const letter_head& head) {
  heads_.emplace(*parse_letter_id(head.id), head);
  if (!head.examined) return;
  if (++texts_[head.digest].letters > 1) return;
  ++lengths_[head.text_bytes % length_values];
  auto bit = head.text_bytes % length_values;
  length_bits_[bit / 64].fetch_or(std::uint64_t{1} << bit % 64);
  known_texts_ = texts_.size();
}

void deadletter_store::forget(const letter_head& head) {
  if (!head.examined) return;
  auto text = texts_.find(head.digest);
  if (text == texts_.end() || --text->second.letters > 0) return;
  texts_.erase(text);
  auto bit = head.text_bytes % length_values;
  if (--lengths_[bit] == 0) {
    lengths_.erase(bit);
    length_bits_[bit / 64].fetch_and(~(std::uint64_t{1} << bit % 64));
  }
  known_texts_ = texts_.size();
}

bool deadletter_store::seen(std::string_view text) noexcept {
  if (known_texts_.load(std::memory_order_relaxed) == 0) return false;
  auto bit = text.size() % length_values;
  if ((length_bits_[bit / 64].load(std::memory_order_relaxed) >> bit % 64 & 1U) == 0) return false;
  auto digest = digest_of(text);
  std::lock_guard lock{mutex_};
  auto found = texts_.find(digest);
  if (found == texts_.end()) return false;
  ++found->second.seen_again;
  return true;
}

} // namespace picket::store
