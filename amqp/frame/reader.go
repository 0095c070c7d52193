package frame

import "github.com/tidegate/tidegate/amqp/wire"

// reader goes through the fields of one composite. The first error stays and
// makes every later call do nothing.
type reader struct {
	info  *typeInfo
	lim   *wire.Limits
	body  []byte // fields not yet read
	left  int    // their number
	field int    // 1 + index of the current field
	size  int    // bytes of the whole composite
	err   error
}

// open reads the descriptor, which must be that of info, and the list's head.
func (r *reader) open(b []byte, lim *wire.Limits, info *typeInfo) {
	r.info, r.lim = info, lim
	code, n, err := descriptor(b)
	if err != nil {
		r.fail(err)
		return
	}
	if code != info.code {
		r.err = &DecodeError{Type: info.name, Condition: ConditionDecodeError, Reason: "another type: " + descriptorText(b)}
		return
	}
	var size int
	if r.body, r.left, size, err = wire.ListHead(b[n:]); err != nil {
		r.fail(err)
		return
	}
	r.size = n + size
}

// next moves to the next field and tells whether it is there and not null.
func (r *reader) next() bool {
	r.field++
	if r.left == 0 || r.err != nil {
		return false
	}
	r.left--
	if wire.IsNull(r.body) {
		r.body = r.body[1:]
		return false
	}
	return true
}

// close checks what is behind the known fields, which a later version of the
// specification may have added, and that the list holds nothing else.
func (r *reader) close() (n int, err error) {
	for r.err == nil && r.left > 0 {
		r.field++
		size, err := wire.Skip(r.body)
		if err != nil {
			r.fail(err)
			break
		}
		r.body = r.body[size:]
		r.left--
	}
	if r.err == nil && len(r.body) > 0 {
		r.err = &DecodeError{Type: r.info.name, Condition: ConditionDecodeError, Reason: "bytes behind the last field"}
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.size, nil
}

func (r *reader) fieldName() string {
	if r.field == 0 {
		return ""
	}
	if r.field > len(r.info.fields) {
		return number(uint64(r.field))
	}
	return r.info.fields[r.field-1]
}

// fail keeps the first error, with the field's name around it.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = &DecodeError{Type: r.info.name, Field: r.fieldName(), Condition: ConditionOf(err), Err: err}
	}
}

func (r *reader) missing() {
	if r.err == nil {
		r.err = &DecodeError{
			Type: r.info.name, Field: r.fieldName(),
			Condition: ConditionDecodeError, Reason: "mandatory but missing",
		}
	}
}

// check refuses a value outside of its enumeration.
func (r *reader) check(valid bool) {
	if r.err == nil && !valid {
		r.err = &DecodeError{
			Type: r.info.name, Field: r.fieldName(),
			Condition: ConditionInvalidField, Reason: "not one of the values allowed",
		}
	}
}

// took ends the reading of a field of n bytes.
func (r *reader) took(n int, err error) {
	if err != nil {
		r.fail(err)
		return
	}
	r.body = r.body[n:]
}
