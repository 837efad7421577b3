// Who looks like whom: affinities of tracklets, as the server measured them.
export class Likeness {
  constructor({ tracklets, steps }) {
    this.size = tracklets.length;
    this.places = new Map(tracklets.map((tracklet, place) => [tracklet, place]));
    this.steps = Int8Array.from(atob(steps), (letter) => letter.charCodeAt(0));
  }

  between(a, b) {
    return this.steps[this.places.get(a) * this.size + this.places.get(b)];
  }

  // As `suggest_more` ranks: a tracklet by its mean to the person's images and by the likest of them; a candidate by its best.
  toPerson(candidate, members) {
    const known = members.filter((tracklet) => this.places.has(tracklet));
    const own = new Set(candidate.tiles.map(({ tracklet }) => tracklet));
    if (!known.length) return 0;
    return Math.max(
      ...[...own].map((tracklet) => {
        const steps = known.map((other) => this.between(tracklet, other));
        return (steps.reduce((sum, step) => sum + step, 0) / steps.length + Math.max(...steps)) / 2;
      }),
    );
  }

  // Two groups around the two members that are least alike, moved to better middles a few times.
  halve(tracklets) {
    if (tracklets.length < 2) return [tracklets, []];
    let middles = this.farthest(tracklets);
    let parts = [tracklets, []];
    for (let round = 0; round < 5; round += 1) {
      parts = [[], []];
      for (const tracklet of tracklets)
        parts[Number(this.between(tracklet, middles[1]) > this.between(tracklet, middles[0]))].push(tracklet);
      if (!parts[0].length || !parts[1].length) return [tracklets, []];
      middles = parts.map((part) => this.middle(part));
    }
    return parts.sort((a, b) => b.length - a.length);
  }

  farthest(tracklets) {
    let found = [tracklets[0], tracklets[1]];
    for (const a of tracklets)
      for (const b of tracklets) if (this.between(a, b) < this.between(...found)) found = [a, b];
    return found;
  }

  middle(tracklets) {
    const toAll = (tracklet) => tracklets.reduce((sum, other) => sum + this.between(tracklet, other), 0);
    return tracklets.reduce((best, tracklet) => (toAll(tracklet) > toAll(best) ? tracklet : best));
  }
}
