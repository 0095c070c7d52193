package core

const deliveryPage = 256

// delivery is a message on its way to a consumer, from dispatch until it is
// settled (or, where nobody settles, begun on the wire).
type delivery struct {
	id         DeliveryID
	consumer   *consumer // nil: free
	ring       *ring
	seq        uint64
	message    uint64
	txn        *txn // settled within
	begun      bool
	prev, next DeliveryID // of the same consumer, in dispatch order
}

// deliveries is an array over the live range of DeliveryIDs, in pages.
type deliveries struct {
	last  DeliveryID
	base  uint64
	pages []*deliveriesPage
	spare *deliveriesPage
}

type deliveriesPage struct {
	d    [deliveryPage]delivery
	live int
}

func (t *deliveries) add() *delivery {
	t.last++
	id := uint64(t.last)
	if len(t.pages) == 0 {
		t.base = id - id%deliveryPage
	}
	i := (id - t.base) / deliveryPage
	for uint64(len(t.pages)) <= i {
		t.pages = append(t.pages, nil)
	}
	if t.pages[i] == nil {
		if t.spare != nil {
			t.pages[i], t.spare = t.spare, nil
		} else {
			t.pages[i] = new(deliveriesPage)
		}
	}
	t.pages[i].live++
	d := &t.pages[i].d[id%deliveryPage]
	d.id = t.last
	return d
}

func (t *deliveries) get(id DeliveryID) *delivery {
	if uint64(id) < t.base || id > t.last {
		return nil
	}
	i := (uint64(id) - t.base) / deliveryPage
	if i >= uint64(len(t.pages)) || t.pages[i] == nil {
		return nil
	}
	if d := &t.pages[i].d[uint64(id)%deliveryPage]; d.consumer != nil {
		return d
	}
	return nil
}

func (t *deliveries) free(d *delivery) {
	i := (uint64(d.id) - t.base) / deliveryPage
	p := t.pages[i]
	*d = delivery{}
	p.live--
	if p.live > 0 {
		return
	}
	if i == uint64(len(t.pages))-1 && uint64(t.last)%deliveryPage != deliveryPage-1 {
		return // still being filled
	}
	t.pages[i], t.spare = nil, p
	gone := 0
	for gone < len(t.pages) && t.pages[gone] == nil {
		gone++
	}
	t.pages = dropFront(t.pages, gone)
	t.base += uint64(gone) * deliveryPage
}
