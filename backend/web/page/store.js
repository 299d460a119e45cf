// What the page knows: boards and commands, kept up to date by answers and by the stream.

export class Store extends EventTarget {
  boards = new Map();
  commands = new Map();
  verbs = {};
  #heard = new Map(); // board id -> when the stream last told of it

  // A list of boards that was asked for at `asked`; what the stream told since is newer.
  setBoards(list, asked) {
    for (const board of list) {
      if (!(this.#heard.get(board.id) >= asked)) this.boards.set(board.id, board);
    }
    this.#changed("boards");
  }

  boardEvent(board) {
    this.#heard.set(board.id, performance.now());
    this.boards.set(board.id, board);
    this.#changed("boards");
  }

  // A command out of an answer: taken unless a newer one is known.
  put(command) {
    const known = this.commands.get(command.id);
    if (known && known.updated_at >= command.updated_at) return known;
    const kept = { ...command, within: within(command) ?? known?.within };
    this.commands.set(command.id, kept);
    this.#changed("command", kept);
    return kept;
  }

  // A command out of the stream, with its newest step.
  commandEvent(command) {
    const known = this.commands.get(command.id);
    if (known?.last && known.last.id >= command.last.id) return;
    const kept = { ...command, within: within(command) ?? known?.within };
    this.commands.set(command.id, kept);
    this.#changed("command", kept);
  }

  // The newest command of a board's target ("" = of the board as a whole), or undefined.
  newest(boardId, target) {
    let found;
    for (const command of this.commands.values()) {
      const mine = command.board_id === boardId && command.target === target;
      if (mine && (!found || command.seq > found.seq)) found = command;
    }
    return found;
  }

  #changed(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// {at, seconds}: when the board accepted it, and the time in which it promised a result.
function within(command) {
  const steps = command.history || (command.last ? [command.last] : []);
  const step = steps.find((one) => one.event === "accepted" && one.detail.within !== undefined);
  return step && { at: step.at, seconds: step.detail.within };
}
